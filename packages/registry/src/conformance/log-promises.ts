import assert from "node:assert/strict";
import { once } from "node:events";
import { formatCursor, parseCursor, type AppendResult, type Digest } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { expectRefusal } from "./expect-refusal.ts";
import { createFixture, readAll, type NewEntry } from "./fixture.ts";
import { promise, type OpenHarness } from "./harness.ts";

export function logPromises(open: OpenHarness): void {
  promise(open, "a channel that nobody wrote to is empty", async ({ registry }) => {
    assert.equal(await registry.head("shop/development"), null);
    const page = await registry.read("shop/development", null, 10);
    assert.deepEqual({ ...page, next: page.next.seq }, { entries: [], next: 0, isEnd: true, gap: false });
    assert.deepEqual(await registry.channels(), []);
    assert.equal(await registry.entry(sha256("x")), null);
    assert.equal(await registry.transition(sha256("x"), sha256("y")), null);
  });

  promise(open, "what is appended together is read in its order, and found by id and by its ends", async ({ registry }) => {
    const f = createFixture();
    const a = f.release(1, "a");
    const b = f.release(2, "b");
    const entries = [a.entry, b.entry, f.transition(a.id, b.id), f.transition(b.id, a.id), f.assign(b.id)];
    const result = await registry.append({ channel: f.channel, expect: null, entries, needs: [] });
    assert.equal(result.kind, "appended");
    const held = await readAll(registry, f.channel);
    assert.deepEqual(held.map(({ kind, id, envelope }) => ({ kind, id, envelope })), entries.map(({ kind, id, envelope }) => ({ kind, id, envelope })));
    assert.deepEqual([held[2]?.from, held[2]?.to, held[0]?.from], [a.id, b.id, undefined]);
    assert.deepEqual(held.at(-1)?.cursor, result.kind === "appended" && result.cursor);
    assert.deepEqual(await registry.head(f.channel), held.at(-1));
    assert.deepEqual(await registry.entry(a.id), held[0]);
    assert.equal((await registry.transition(b.id, a.id))?.id, entries[3]?.id);
    assert.deepEqual(await registry.channels(), [f.channel]);
    for (const { at, cursor } of held) {
      assert.ok(!Number.isNaN(Date.parse(at)));
      assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
    }
  });

  promise(open, "the newest transition between two releases is the one that is served", async ({ registry }) => {
    const f = createFixture();
    const older = f.transition(sha256("1"), sha256("2"));
    const newer = f.transition(sha256("1"), sha256("2"), f.blobs("ops"));
    for (const entry of [older, newer]) await registry.append({ channel: f.channel, expect: null, entries: [entry], needs: [] });
    assert.equal((await registry.transition(sha256("1"), sha256("2")))?.id, newer.id);
  });

  promise(open, "an append on another head than the newest changes nothing and names the head", async ({ registry }) => {
    const f = createFixture();
    const { assign } = await f.publish(registry, 1, "a");
    const before = await readAll(registry, f.channel);
    for (const expect of [null, sha256("another"), before[0]?.id ?? null]) {
      const result = await registry.append({ channel: f.channel, expect, entries: [f.assign(sha256("r"))], needs: [] });
      assert.equal(result.kind, "head-moved");
      assert.equal(result.kind === "head-moved" && result.head?.id, assign);
    }
    assert.deepEqual(await readAll(registry, f.channel), before);
  });

  promise(open, "of many that append on the same head at once, one wins", async ({ registry }) => {
    const f = createFixture();
    const results = await Promise.all(Array.from({ length: 10 }, () => registry.append({ channel: f.channel, expect: null, entries: [f.assign(sha256("r"))], needs: [] })));
    assert.equal(results.filter((r) => r.kind === "appended").length, 1);
    assert.equal(results.filter((r) => r.kind === "head-moved").length, 9);
    assert.equal((await readAll(registry, f.channel)).length, 1);
  });

  promise(open, "of many that append a release after the same one at once, one wins, also where none assigns", async ({ registry }) => {
    const f = createFixture();
    const { release, assign } = await f.publish(registry, 1, "a");
    const before = await readAll(registry, f.channel);
    const append = (content: string, lastRelease: Digest | null): Promise<AppendResult> => registry.append({ channel: f.channel, expect: assign, lastRelease, entries: [f.release(2, content).entry], needs: [] });
    for (const lastRelease of [null, sha256("another"), assign]) {
      const result = await append("b", lastRelease);
      assert.equal(result.kind === "head-moved" && result.head?.id, assign);
    }
    assert.deepEqual(await readAll(registry, f.channel), before);
    const results = await Promise.all(["b", "c", "d", "e"].map((content) => append(content, release)));
    assert.deepEqual(results.map((r) => r.kind).toSorted(), ["appended", "head-moved", "head-moved", "head-moved"]);
    assert.equal((await readAll(registry, f.channel)).length, before.length + 1);
  });

  promise(open, "the same append again gives the same answer and appends nothing, also after others", async ({ registry }) => {
    const f = createFixture();
    const entries = [f.release(1, "a").entry, f.assign(sha256("r"))];
    const append = (expect: Digest | null, list: NewEntry[]): Promise<AppendResult> => registry.append({ channel: f.channel, expect, entries: list, needs: [] });
    const first = await append(null, entries);
    const again = await append(null, entries);
    assert.deepEqual(again, { ...first, repeated: true });
    await append(entries[1]?.id ?? null, [f.assign(sha256("s"))]);
    assert.deepEqual(await append(null, entries), again);
    assert.equal((await append(null, entries.slice(0, 1))).kind, "head-moved"); // a part of it is not the same
    assert.equal((await readAll(registry, f.channel)).length, 3);
  });

  promise(open, "an append whose blobs are not there changes nothing and names them", async ({ registry }) => {
    const f = createFixture();
    const { entry, blobs, id } = f.release(1, "a", "b");
    await registry.putBlobs(blobs.slice(1));
    const append = (): Promise<AppendResult> => registry.append({ channel: f.channel, expect: null, entries: [entry, f.assign(id)], needs: blobs.map((b) => b.digest) });
    assert.deepEqual(await append(), { kind: "blobs-missing", missing: [blobs[0]?.digest] });
    assert.deepEqual(await readAll(registry, f.channel), []);
    await registry.putBlobs(blobs);
    assert.equal((await append()).kind, "appended");
  });

  promise(open, "an entry whose id is not the digest of its payload is refused, and so is an empty append", async ({ registry }) => {
    const f = createFixture();
    const entry = f.assign(sha256("r"));
    const bad: NewEntry[][] = [[], [{ ...entry, id: sha256("x") }], [entry, { ...entry, kind: "x" as "assign" }], [{ ...entry, envelope: { ...entry.envelope, payload: "*" } }]];
    for (const entries of bad) await expectRefusal("OBJECT_INVALID", () => registry.append({ channel: f.channel, expect: null, entries, needs: [] }));
    await expectRefusal("OBJECT_INVALID", () => registry.append({ channel: "", expect: null, entries: [entry], needs: [] }));
    assert.deepEqual(await registry.channels(), []);
  });

  promise(open, "reading on from any cursor gives each later entry once, whatever the page size", async ({ registry }) => {
    const f = createFixture();
    for (let i = 1; i <= 6; i++) await f.publish(registry, i, `v${i}`);
    const all = await readAll(registry, f.channel);
    assert.equal(all.length, 12);
    for (const limit of [1, 2, 5, 12, 100]) assert.deepEqual(await readAll(registry, f.channel, limit), all);
    for (const [i, { cursor }] of all.entries()) {
      const page = await registry.read(f.channel, cursor, 100);
      assert.deepEqual(page.entries, all.slice(i + 1));
      assert.deepEqual([page.gap, page.isEnd], [false, true]);
    }
  });

  promise(open, "a cursor of another store, or from beyond the end, is answered with a gap and all there is", async ({ registry }) => {
    const f = createFixture();
    await f.publish(registry, 1, "a");
    const all = await readAll(registry, f.channel);
    const { epoch, seq } = all.at(-1)?.cursor ?? assert.fail();
    for (const cursor of [{ epoch: "another", seq: 1 }, { epoch, seq: seq + 1 }]) {
      const page = await registry.read(f.channel, cursor, 100);
      assert.equal(page.gap, true);
      assert.deepEqual(page.entries, all);
      assert.deepEqual((await registry.read(f.channel, page.next, 100)).gap, false);
    }
    assert.equal((await registry.read("shop/unheard-of", { epoch, seq: 1 }, 100)).gap, true);
  });

  promise(open, "a cursor of a store that was lost is answered with a gap by the one made anew, though both hold as much", async ({ registry }) => {
    const f = createFixture();
    await f.publish(registry, 1, "a");
    const all = await readAll(registry, f.channel);
    const anew = await open();
    try {
      const g = createFixture();
      await g.publish(anew.registry, 1, "b");
      const page = await anew.registry.read(g.channel, all[0]?.cursor ?? null, 100);
      assert.equal(page.gap, true);
      assert.deepEqual(page.entries, await readAll(anew.registry, g.channel));
    } finally {
      await anew.close();
    }
  });

  promise(open, "channels do not see each other", async ({ registry }) => {
    const [f, g] = [createFixture("shop/one"), createFixture("shop/two")];
    const one = await f.publish(registry, 1, "a");
    const two = await g.publish(registry, 1, "b");
    assert.equal((await registry.head("shop/one"))?.id, one.assign);
    assert.deepEqual((await readAll(registry, "shop/two")).map((e) => e.id), two.entries.map((e) => e.id));
    assert.deepEqual((await registry.channels()).toSorted(), ["shop/one", "shop/two"]);
    assert.equal((await registry.entry(one.release))?.id, one.release); // objects are found from any channel
  });

  promise(open, "a listener is poked soon after an append to its channel, until it unsubscribes", async ({ registry }) => {
    const f = createFixture();
    const pokes = new EventTarget();
    const poked = once(pokes, "poke");
    const off = registry.onPoke(f.channel, () => void pokes.dispatchEvent(new Event("poke")));
    // A remote registry may subscribe a little later than it says; a hint that comes late is asked for again.
    let number = 0;
    const publishing = (async () => {
      for (let isPoked = false; !isPoked; ) {
        await f.publish(registry, ++number, `v${number}`);
        isPoked = await Promise.race([poked.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 50, false))]);
      }
    })();
    await Promise.all([poked, publishing]);
    off();
    off(); // twice does no harm
  });

}

export function durablePromises(open: OpenHarness): void {
  promise(open, "all that was acknowledged is there after the registry is opened again", async ({ registry, reopen }) => {
    assert.ok(reopen, "a durable registry's harness can open it again");
    const f = createFixture();
    const { release, blobs } = await f.publish(registry, 1, "a");
    await registry.report([f.report("1")]);
    const before = await readAll(registry, f.channel);
    const again = await reopen();
    assert.deepEqual(await readAll(again, f.channel), before);
    assert.deepEqual(await again.missing(blobs.map((b) => b.digest)), []);
    assert.equal((await again.entry(release))?.id, release);
    assert.equal((await again.reports({ channel: f.channel })).length, 1);
    await f.publish(again, 2, "b");
    assert.deepEqual((await readAll(again, f.channel)).slice(0, before.length), before);
  });

  promise(open, "a gap stays one after the registry is opened again, and what was read on is read on", async ({ registry, keeper, advance, reopen }) => {
    assert.ok(reopen, "a durable registry's harness can open it again");
    const f = createFixture();
    for (let i = 1; i <= 4; i++) await f.publish(registry, i, `v${i}`);
    const before = await readAll(registry, f.channel);
    await advance(3 * 60 * 60_000);
    await keeper.retain({ keepReleases: 2 });
    const left = await readAll(registry, f.channel);
    assert.ok(left.length < before.length);
    const again = await reopen();
    assert.deepEqual(await readAll(again, f.channel), left);
    const gaps = before.length - left.length - 1; // who has read all that was taken misses nothing
    for (const [i, { cursor }] of before.entries()) {
      const page = await again.read(f.channel, cursor, 100);
      assert.deepEqual([page.gap, page.entries], i < gaps ? [true, left] : [false, before.slice(i + 1)], `after entry ${i}`);
    }
  });
}
