import assert from "node:assert/strict";
import type { Blob, Registry } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { createFixture, readAll } from "./fixture.ts";
import { promise } from "./harness.ts";
import { goesOn, orKilled, Writer } from "./writer.ts";

/** A registry that runs in a process of its own, to be killed. */
export interface RegistryProcess {
  /** A client of it. Its calls may fail when the process is killed; then nobody knows whether they were carried out. */
  readonly registry: Registry;
  /** Ends the process in the midst of whatever it does (SIGKILL). Resolves when it is gone and the client is closed. */
  readonly kill: () => Promise<void>;
}

/** One store, and the processes that serve it, one after another. */
export interface KillHarness {
  /** Starts a process on the store; the one before has been killed. Resolves when it serves. */
  readonly start: () => Promise<RegistryProcess>;
  /** Ends what runs and removes the store. */
  close(): Promise<void>;
}

/** Gives a new, empty store. */
export type OpenKillHarness = () => Promise<KillHarness>;

const rounds = 3;

/** What a durable registry must keep when its process is killed at any moment. Retention is not run meanwhile. */
export function killPromises(open: OpenKillHarness): void {
  promise(open, "what was acknowledged before a kill is there after it, at the same place or behind an explicit gap", async ({ start }) => {
    const f = createFixture();
    const first = await start();
    assert.notEqual(first.registry.caps.durability, "memory");
    const published = [await f.publish(first.registry, 1, "a"), await f.publish(first.registry, 2, "b")];
    const before = await readAll(first.registry, f.channel);
    await first.registry.report([f.report("1")]);
    // Killed with its last acknowledgement: no moment is left to write what was only remembered.
    published.push(await f.publish(first.registry, 3, "c"));
    await first.kill();

    const { registry } = await start();
    const after = await readAll(registry, f.channel);
    assert.deepEqual(after.map(({ id }) => id), published.flatMap(({ entries }) => entries.map(({ id }) => id)));
    assert.deepEqual(await registry.missing(published.flatMap(({ blobs }) => blobs.map(({ digest }) => digest))), []);
    assert.deepEqual(await registry.reports({ channel: f.channel }), [f.report("1")]);
    assert.equal((await registry.head(f.channel))?.id, published.at(-1)?.assign);
    for (const { cursor, id } of before) await goesOn(registry, f.channel, cursor, after, after.findIndex((entry) => entry.id === id) + 1);
    await f.publish(registry, 4, "d");
    assert.deepEqual((await readAll(registry, f.channel)).slice(0, after.length), after);
  });

  promise(open, "an append that is cut off by a kill is there as a whole or not at all, and may be repeated", async ({ start }) => {
    const writers = Array.from({ length: 6 }, (_, i) => new Writer(`shop/channel-${i}`));
    for (let round = 0; round < rounds; round += 1) {
      const killed = await start();
      const acknowledged = countdown(writers.length * 3);
      const writing = writers.map((writer) => writer.writeUntilKilled(killed.registry, acknowledged.tick));
      await Promise.race([acknowledged.reached, Promise.all(writing)]);
      await killed.kill();
      await Promise.all(writing);

      const again = await start();
      for (const writer of writers) await writer.check(again.registry);
      await again.kill();
    }
  });

  promise(open, "a blob that was being stored at a kill is missing or whole", async ({ start }) => {
    const killed = await start();
    const acknowledged = countdown(12);
    const stores = Array.from({ length: 4 }, (_, i) => storeUntilKilled(killed.registry, i, acknowledged.tick));
    await Promise.race([acknowledged.reached, Promise.all(stores)]);
    await killed.kill();
    const stored = await Promise.all(stores);

    const { registry } = await start();
    for (const { kept, cutOff } of stored) {
      assert.deepEqual(await registry.missing(kept.map(({ digest }) => digest)), []);
      const all = [...kept, ...cutOff];
      const missing = new Set(await registry.missing(all.map(({ digest }) => digest)));
      const held = new Map((await registry.getBlobs(all.map(({ digest }) => digest))).map(({ digest, bytes }) => [digest, bytes]));
      for (const { digest, bytes } of all) {
        const back = held.get(digest);
        assert.equal(back === undefined, missing.has(digest));
        if (back !== undefined) assert.ok(Buffer.from(bytes).equals(back));
      }
      await registry.putBlobs(cutOff);
      assert.deepEqual(await registry.missing(all.map(({ digest }) => digest)), []);
    }
  });
}

async function storeUntilKilled(registry: Registry, store: number, acknowledged: () => void): Promise<{ kept: Blob[]; cutOff: Blob[] }> {
  const kept: Blob[] = [];
  for (let turn = 0; ; turn += 1) {
    const blobs = Array.from({ length: 20 }, (_, i) => {
      const bytes = Buffer.alloc(40_000, `${store} ${turn} ${i} `);
      return { digest: sha256(bytes), bytes };
    });
    if ((await orKilled(async () => (await registry.putBlobs(blobs), true))) === null) return { kept, cutOff: blobs };
    kept.push(...blobs);
    acknowledged();
  }
}

function countdown(from: number): { readonly tick: () => void; readonly reached: Promise<void> } {
  let left = from;
  let resolve = (): void => undefined;
  const reached = new Promise<void>((done) => (resolve = done));
  const tick = (): void => {
    left -= 1;
    if (left === 0) resolve();
  };
  return { tick, reached };
}
