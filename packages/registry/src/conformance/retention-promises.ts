import assert from "node:assert/strict";
import type { Digest, Registry } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { createFixture, readAll, type Fixture } from "./fixture.ts";
import { promise, type OpenHarness } from "./harness.ts";

const hoursMs = 3 * 60 * 60_000;

interface Published {
  readonly release: Digest;
  readonly blobs: readonly { readonly digest: Digest }[];
}

async function publishMany(f: Fixture, registry: Registry, count: number): Promise<Published[]> {
  const out: Published[] = [];
  for (let i = 1; i <= count; i++) {
    const before = out.at(-1)?.release;
    out.push(await f.publish(registry, i, `version ${i}`, before === undefined ? {} : { revertTo: [before] }));
  }
  return out;
}

async function assignAgain(f: Fixture, registry: Registry, { release }: Published): Promise<void> {
  const result = await registry.append({ channel: f.channel, expect: (await registry.head(f.channel))?.id ?? null, entries: [f.assign(release)], needs: [] });
  assert.equal(result.kind, "appended");
}

const digests = (published: Published): Digest[] => published.blobs.map((b) => b.digest);

export function retentionPromises(open: OpenHarness): void {
  promise(open, "retention keeps the newest releases whole and takes what only older ones needed", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const published = await publishMany(f, registry, 6);
    await advance(hoursMs);
    const result = await keeper.retain({ keepReleases: 2 });
    assert.deepEqual([result.removedEntries, result.removedBlobs], [8, 12]); // per old release: its own unit and two directories
    assert.ok(result.removedBytes > 0);
    for (const kept of published.slice(-2)) {
      assert.deepEqual(await registry.missing(digests(kept)), []);
      assert.equal((await registry.entry(kept.release))?.id, kept.release);
    }
    for (const old of published.slice(0, 4)) {
      assert.equal(await registry.entry(old.release), null);
      assert.equal((await registry.missing(digests(old))).length, 3); // the unit that all releases share stays
    }
    assert.deepEqual(await keeper.retain({ keepReleases: 2 }), { removedEntries: 0, removedBlobs: 0, removedBytes: 0 });
  });

  promise(open, "a log of no more releases than are kept loses nothing, however often it went back and forth", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [first, second] = await publishMany(f, registry, 2);
    assert.ok(first && second);
    for (const to of [first, second, first, second]) await assignAgain(f, registry, to);
    const before = await readAll(registry, f.channel);
    await advance(hoursMs);
    assert.deepEqual(await keeper.retain({ keepReleases: 2 }), { removedEntries: 0, removedBlobs: 0, removedBytes: 0 });
    assert.deepEqual(await readAll(registry, f.channel), before);
  });

  promise(open, "going back to an old release keeps that one, and not all that came after it", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [first, second, ...newer] = await publishMany(f, registry, 5);
    assert.ok(first && second && newer.length === 3);
    await assignAgain(f, registry, first);
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 3 });
    const left = await readAll(registry, f.channel);
    assert.deepEqual(left.map(({ kind }) => kind), ["release", "assign", "release", "assign", "release", "assign", "assign"]);
    assert.equal(left[0]?.id, newer[0]?.release);
    assert.equal(await registry.entry(second.release), null);
    assert.equal((await registry.entry(first.release))?.id, first.release);
    assert.deepEqual(await registry.missing(digests(first)), []);
  });

  promise(open, "a reader whose place was taken is told of the gap, and one behind it reads on without", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    await publishMany(f, registry, 5);
    const before = await readAll(registry, f.channel);
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 2 });
    const left = await readAll(registry, f.channel);
    assert.deepEqual(left, before.slice(-4));
    for (const [i, { cursor }] of before.entries()) {
      const page = await registry.read(f.channel, cursor, 100);
      assert.equal(page.gap, i < 5, `after entry ${i}`);
      assert.deepEqual(page.entries, i < 5 ? left : before.slice(i + 1));
    }
    assert.equal((await registry.read(f.channel, null, 100)).gap, false);
    await f.publish(registry, 6, "version 6");
    assert.deepEqual((await readAll(registry, f.channel)).slice(0, 4), left);
  });

  promise(open, "what the live assign may revert to outlives any count", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [first] = await publishMany(f, registry, 4);
    assert.ok(first);
    await f.publish(registry, 5, "version 5", { revertTo: [first.release] });
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 1 });
    assert.equal((await registry.entry(first.release))?.id, first.release);
    assert.deepEqual(await registry.missing(digests(first)), []);
    // It is an object that is found by id; the log itself has no hole, and is read to its end from anywhere.
    const left = await readAll(registry, f.channel);
    assert.deepEqual(left.map((e) => e.cursor.seq), [9, 10]);
    for (const limit of [1, 2]) assert.deepEqual(await readAll(registry, f.channel, limit), left);
  });

  promise(open, "a release that a present process runs or started from is kept, until the process is gone", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [boot, live, gone] = await publishMany(f, registry, 6);
    assert.ok(boot && live && gone);
    await advance(hoursMs);
    await registry.beat(f.beat({ boot: boot.release, live: live.release }), 60_000);
    await keeper.retain({ keepReleases: 1 });
    for (const kept of [boot, live]) {
      assert.equal((await registry.entry(kept.release))?.id, kept.release);
      assert.deepEqual(await registry.missing(digests(kept)), []);
    }
    assert.equal(await registry.entry(gone.release), null);
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 1 });
    assert.equal(await registry.entry(boot.release), null);
  });

  promise(open, "an assign that some targets still follow is kept behind one that speaks to others", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [gone, reverted, everyone] = await publishMany(f, registry, 3);
    assert.ok(gone && reverted && everyone);
    for (let i = 4; i <= 7; i++) await f.publish(registry, i, `version ${i}`, { targets: { kind: "named", names: ["web-1"] } });
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 1 });
    assert.deepEqual(await registry.missing(digests(everyone)), []);
    const left = await readAll(registry, f.channel);
    assert.deepEqual(left.map((e) => e.kind), Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? "release" : "assign"))); // from that of `everyone` on
    assert.equal(left[0]?.id, everyone.release);
    assert.deepEqual(await registry.missing(digests(reverted)), []);
    assert.equal(await registry.entry(gone.release), null);
  });

  promise(open, "transitions between kept releases stay, the newest of the same ends only, with what they need", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [gone, a, b] = await publishMany(f, registry, 3);
    assert.ok(gone && a && b);
    const [opsOld, ops, opsGone] = f.blobs("old ops", "ops", "gone ops");
    assert.ok(opsOld && ops && opsGone);
    await registry.putBlobs([opsOld, ops, opsGone]);
    const older = f.transition(a.release, b.release, [opsOld]);
    const newer = f.transition(a.release, b.release, [ops]);
    const away = f.transition(gone.release, b.release, [opsGone]);
    const expect = (await registry.head(f.channel))?.id ?? null;
    for (const entry of [older, newer, away]) await registry.append({ channel: f.channel, expect, entries: [entry], needs: [] });
    await f.publish(registry, 4, "version 4", { revertTo: [a.release, b.release] });
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 1 });
    assert.equal((await registry.transition(a.release, b.release))?.id, newer.id);
    assert.equal(await registry.entry(older.id), null);
    assert.equal(await registry.transition(gone.release, b.release), null);
    assert.deepEqual(await registry.missing([opsOld, ops, opsGone].map((x) => x.digest)), [opsOld.digest, opsGone.digest]);
  });

  promise(open, "an assign that the registry cannot read is kept with all it names", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    const [old] = await publishMany(f, registry, 1);
    assert.ok(old);
    // A later version's assign: signed and well-formed, with targets that this version does not know.
    const strange = f.assign(old.release, { targets: { kind: "weather" } as unknown as { kind: "all" } });
    const expect = (await registry.head(f.channel))?.id ?? null;
    await registry.append({ channel: f.channel, expect, entries: [strange], needs: [] });
    for (let i = 2; i <= 4; i++) await f.publish(registry, i, `version ${i}`, { targets: { kind: "named", names: ["web-1"] } });
    await advance(hoursMs);
    await keeper.retain({ keepReleases: 1 });
    assert.ok((await readAll(registry, f.channel)).some((e) => e.id === strange.id));
    assert.deepEqual(await registry.missing(digests(old)), []);
  });

  promise(open, "blobs that came lately are not taken: their release may be on the way", async ({ registry, keeper, advance }) => {
    const f = createFixture();
    await publishMany(f, registry, 1);
    const [early, late] = f.blobs("early", "late");
    assert.ok(early && late);
    await registry.putBlobs([early]);
    await advance(hoursMs);
    await registry.putBlobs([late]);
    assert.equal((await keeper.retain({ keepReleases: 1 })).removedBlobs, 1);
    assert.deepEqual(await registry.missing([early.digest, late.digest]), [early.digest]);
  });

  promise(open, "retention on an empty registry does nothing", async ({ keeper }) => {
    assert.deepEqual(await keeper.retain({ keepReleases: 5 }), { removedEntries: 0, removedBlobs: 0, removedBytes: 0 });
    assert.equal(await keeper.head(sha256("none")), null);
  });
}
