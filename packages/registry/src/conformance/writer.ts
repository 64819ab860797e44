import assert from "node:assert/strict";
import { isMidflightError, type AppendRequest, type AppendResult, type Blob, type Cursor, type Digest, type LogEntry, type Registry } from "@midflight/protocol";
import { createFixture, readAll } from "./fixture.ts";

/** A reader that has read as far as `cursor` gets the rest, or is told that it gets everything anew. */
export async function goesOn(registry: Registry, channel: string, cursor: Cursor, all: readonly LogEntry[], read: number): Promise<void> {
  const page = await registry.read(channel, cursor, 1_000);
  assert.deepEqual(page.entries, page.gap ? all : all.slice(read));
}

/** Appends to one channel, each on what it wrote last, and knows what was acknowledged. */
export class Writer {
  readonly #fixture;
  readonly #acknowledged: AppendRequest[] = [];
  /** Of the newest append. */
  #blobs: readonly Blob[] = [];
  #cutOff: AppendRequest | null = null;
  /** Where a reader has got to, and by how many entries. */
  #place: { readonly cursor: Cursor; readonly read: number } | null = null;

  constructor(channel: string) {
    this.#fixture = createFixture(channel);
  }

  /** Until a call fails: exactly the last one is the one that nobody knows of. */
  async writeUntilKilled(registry: Registry, acknowledged: () => void): Promise<void> {
    this.#cutOff = null;
    for (;;) {
      const request = this.#next();
      const result = await orKilled(async () => {
        if (request.enclosed === undefined) await registry.putBlobs(this.#blobs);
        return registry.append(request);
      });
      if (result === null) {
        this.#cutOff = request;
        return;
      }
      this.#note(request, result);
      acknowledged();
    }
  }

  async check(registry: Registry): Promise<void> {
    const { channel } = this.#fixture;
    const cutOff = this.#cutOff ?? assert.fail("the registry was killed while nothing was written");
    const log = await readAll(registry, channel);
    const known = idsOf(this.#acknowledged);
    const isThere = log.length > known.length;
    assert.deepEqual(log.map(({ id }) => id), [...known, ...(isThere ? idsOf([cutOff]) : [])]);
    assert.equal((await registry.head(channel))?.id ?? null, log.findLast(({ kind }) => kind === "assign")?.id ?? null);
    if (this.#place !== null) await goesOn(registry, channel, this.#place.cursor, log, this.#place.read);
    const { enclosed } = cutOff;
    if (enclosed !== undefined) assert.deepEqual(await registry.missing(cutOff.needs), isThere ? [] : cutOff.needs, "what it encloses is there exactly if its entries are");

    if (enclosed === undefined) await registry.putBlobs(this.#blobs);
    const repeated = await registry.append(cutOff);
    assert.equal(repeated.kind === "appended" && repeated.repeated, isThere);
    this.#note(cutOff, repeated);
    const whole = await readAll(registry, channel);
    assert.deepEqual(whole.map(({ id }) => id), idsOf(this.#acknowledged));
    assert.deepEqual(await registry.missing(this.#acknowledged.flatMap(({ needs }) => needs)), []);
    for (const [i, { cursor }] of whole.entries()) assert.deepEqual((await registry.read(channel, cursor, 1_000)).entries, whole.slice(i + 1));
  }

  /** A release, the ways between it and the one before, and the assign: what a deploy appends at once. */
  #next(): AppendRequest {
    const f = this.#fixture;
    const number = this.#acknowledged.length + 1;
    const before = this.#acknowledged.at(-1)?.entries;
    const { entry, id, blobs } = f.release(number, `version ${number} in ${f.channel}`);
    this.#blobs = blobs;
    const ways = before === undefined ? [] : [f.transition(before[0]!.id, id), f.transition(id, before[0]!.id)];
    const isEnclosing = number % 2 === 1;
    return {
      channel: f.channel, expect: before?.at(-1)?.id ?? null, entries: [entry, ...ways, f.assign(id, { number })], needs: blobs.map(({ digest }) => digest),
      ...(isEnclosing && { enclosed: blobs }),
    };
  }

  #note(request: AppendRequest, result: AppendResult): void {
    if (result.kind !== "appended") throw new Error(`the append was answered with ${result.kind}`);
    this.#acknowledged.push(request);
    this.#place = { cursor: result.cursor, read: idsOf(this.#acknowledged).length };
  }
}

function idsOf(requests: readonly AppendRequest[]): Digest[] {
  return requests.flatMap(({ entries }) => entries.map(({ id }) => id));
}

/** Null if the registry went away; any other refusal is a fault. */
export async function orKilled<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (cause) {
    if (isMidflightError(cause) && cause.code === "REGISTRY_UNREACHABLE") return null;
    throw cause;
  }
}
