import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { AppendRequest, Cursor, Digest, Registry } from "@midflight/protocol";
import { openMemoryRegistry, openRegistry } from "@midflight/registry";
import { createFixture, readAll, type Fixture } from "@midflight/registry/conformance";
import { createTestClock } from "./test-clock.ts";

const channels = ["shop/one", "shop/two"] as const;
const hourMs = 60 * 60_000;

/** What somebody does; numbers choose among what there is. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("publish" as const), channel: fc.nat(1), text: fc.nat(5), on: fc.constantFrom("head", "head", "head", "none", "other"), blobs: fc.constantFrom("before", "enclosed", "enclosed", "absent"), targets: fc.constantFrom("all", "named") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("transition" as const), channel: fc.nat(1), from: fc.nat(), to: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("read" as const), channel: fc.nat(1), after: fc.nat(), limit: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retain" as const), keep: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("beat" as const), channel: fc.nat(1), boot: fc.nat(), live: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 3 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Both registries answer alike, but each has an epoch of its own. */
function masked(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null, (key, inner: unknown) => (key === "epoch" ? "e" : inner)));
}

class Pair {
  readonly clock = createTestClock();
  readonly registries: readonly [Registry, Registry] = [openRegistry({ path: ":memory:", clock: this.clock }), openMemoryRegistry({ clock: this.clock })];
  readonly fixtures: readonly Fixture[] = channels.map((channel) => createFixture(channel));
  readonly releases: Digest[] = [];
  readonly requests: AppendRequest[] = [];
  readonly blobs = new Set<Digest>();
  /** What each appended release needs. */
  readonly needs = new Map<Digest, readonly Digest[]>();

  /** Does the same on both, and compares the answers. */
  async both<T>(run: (registry: Registry, which: number) => Promise<T>): Promise<T> {
    const [a, b] = [await run(this.registries[0], 0), await run(this.registries[1], 1)];
    assert.deepEqual(masked(a), masked(b));
    return a;
  }

  fixture(channel: number): Fixture {
    return this.fixtures[channel] ?? assert.fail();
  }

  async appendNew(request: AppendRequest): Promise<void> {
    this.requests.push(request);
    await this.append(request);
  }

  async append(request: AppendRequest): Promise<void> {
    const result = await this.both((registry) => registry.append(request));
    const [first] = request.entries;
    if (result.kind === "appended" && first?.kind === "release") this.needs.set(first.id, request.needs);
  }

  async take(step: Step): Promise<void> {
    const pick = (n: number): Digest => this.releases[n % Math.max(1, this.releases.length)] ?? `sha256:${"0".repeat(64)}`;
    switch (step.do) {
      case "publish": {
        const f = this.fixture(step.channel);
        const made = f.release(this.releases.length, `text ${step.text}`);
        const before = this.releases.at(-1);
        if (step.blobs === "before") await this.both((registry) => registry.putBlobs(made.blobs));
        for (const { digest } of made.blobs) this.blobs.add(digest);
        const head = await this.both((registry) => registry.head(f.channel));
        const expect = { head: head?.id ?? null, none: null, other: pick(0) }[step.on] ?? null;
        const targets = step.targets === "all" ? { kind: "all" as const } : { kind: "named" as const, names: ["web-1"] };
        const assign = f.assign(made.id, { targets, revertTo: before === undefined ? [] : [before] });
        this.releases.push(made.id);
        return await this.appendNew({ channel: f.channel, expect, entries: [made.entry, assign], needs: made.blobs.map((b) => b.digest), ...(step.blobs === "enclosed" && { enclosed: made.blobs }) });
      }
      case "transition": {
        const f = this.fixture(step.channel);
        const head = await this.both((registry) => registry.head(f.channel));
        return await this.appendNew({ channel: f.channel, expect: head?.id ?? null, entries: [f.transition(pick(step.from), pick(step.to), f.blobs(`${step.from}`))], needs: [] });
      }
      case "repeat": {
        const request = this.requests[step.which % Math.max(1, this.requests.length)];
        if (request !== undefined) await this.append(request);
        return;
      }
      case "read": {
        const { channel } = this.fixture(step.channel);
        await this.both(async (registry) => {
          const { next } = await registry.read(channel, null, 1_000);
          const after: Cursor = { epoch: next.epoch, seq: step.after % (next.seq + 3) };
          return await registry.read(channel, after, step.limit);
        });
        return;
      }
      case "retain":
        await this.both((registry) => registry.retain({ keepReleases: step.keep }));
        return;
      case "beat": {
        const f = this.fixture(step.channel);
        await this.both((registry) => registry.beat(f.beat({ boot: pick(step.boot), live: pick(step.live) }), 2 * hourMs));
        return;
      }
      case "wait":
        this.clock.advance(step.hours * hourMs);
        return;
    }
  }

  /** Everything that can be asked is answered alike. */
  async compare(): Promise<void> {
    for (const channel of channels) {
      await this.both((registry) => registry.head(channel));
      await this.both((registry) => readAll(registry, channel, 3));
      await this.both((registry) => registry.presence(channel));
    }
    await this.both((registry) => registry.channels());
    for (const channel of channels) for (const { kind, id } of await readAll(this.registries[0], channel)) if (kind === "release") await this.isWhole(id);
    await this.both(async (registry) => (await registry.missing([...this.blobs])).toSorted());
    for (const release of this.releases) await this.both((registry) => registry.entry(release));
    for (const from of this.releases.slice(-4)) for (const to of this.releases.slice(-4)) await this.both((registry) => registry.transition(from, to));
  }

  /** A release that is in a log can be found and fetched. */
  async isWhole(release: Digest): Promise<void> {
    const [registry] = this.registries;
    assert.equal((await registry.entry(release))?.id, release);
    assert.deepEqual(await registry.missing(this.needs.get(release) ?? assert.fail("a release that nobody appended")), []);
  }

  async close(): Promise<void> {
    for (const registry of this.registries) await registry.close();
  }
}

test("whatever is done to them, the registry in SQLite and the one in maps answer alike", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
    const pair = new Pair();
    try {
      for (const s of steps) await pair.take(s);
      await pair.compare();
    } finally {
      await pair.close();
    }
  }), { numRuns: 100 });
});
