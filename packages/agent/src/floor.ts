import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import {
  asArray, asCount, asNullable, asNumber, asRecord, asString, compareCounters, parseDigest,
  type Assign, type CounterFloor, type ReleaseId,
} from "@midflight/protocol";
import { appendDurably, appendDurablyNow, writeDurably, writeDurablyNow } from "./durable-file.ts";

/** A release that failed in this process. It is not tried again until an assign says retry. */
export interface RevertedRelease {
  readonly release: ReleaseId;
  readonly reason: string;
}

/** The newest assign that was ever accepted, kept across restarts so that no older one is obeyed again. */
export interface FloorState extends CounterFloor {
  /** Null: nothing was accepted yet. */
  readonly release: ReleaseId | null;
  /** Epoch ms at which it was issued: a clock that runs behind it is not believed. */
  readonly issuedAtMs: number;
  readonly reverted: readonly RevertedRelease[];
}

const nothing: FloorState = { epoch: 0, counter: 0, release: null, issuedAtMs: 0, reverted: [] };
const maxReverted = 20;
/** The file is written anew when it has grown to this. */
const maxFileBytes: number = 64 << 10;

export interface FloorOptions {
  readonly file: string;
  /** False in threads and children: they read the floor of the process they belong to and keep their own in memory. */
  readonly isKept: boolean;
}

/**
 * The counter floor of one agent. Its file gets a line for each change, so that a swap waits for one write and one sync;
 * the line with the highest counter counts, and of several the last.
 */
export class Floor {
  readonly #options: FloorOptions;
  #state: FloorState;
  #written: Promise<void> = Promise.resolve();
  #fileBytes: number;

  constructor(options: FloorOptions, state: FloorState, fileBytes: number) {
    this.#options = options;
    this.#state = state;
    this.#fileBytes = fileBytes;
  }

  get state(): FloorState {
    return this.#state;
  }

  /** Settles when the assign is on disk and older ones can never be obeyed again. @throws MidflightError `DISK_FULL`, `FILE_UNREADABLE` */
  async raise(assign: Assign): Promise<void> {
    const before = this.#state;
    const order = compareCounters(assign, before);
    if (order < 0 || (order === 0 && before.release === assign.release)) return this.#written;
    const issuedAtMs = Date.parse(assign.issuedAt);
    this.#state = {
      epoch: assign.epoch,
      counter: assign.counter,
      release: assign.release,
      issuedAtMs: Number.isFinite(issuedAtMs) ? Math.max(issuedAtMs, before.issuedAtMs) : before.issuedAtMs,
      reverted: before.reverted,
    };
    await this.#write();
  }

  findReverted(release: ReleaseId): RevertedRelease | null {
    return this.#state.reverted.find((r) => r.release === release) ?? null;
  }

  async addReverted(release: ReleaseId, reason: string): Promise<void> {
    this.#add(release, reason);
    await this.#write();
  }

  /** For the moment before the process dies. */
  addRevertedNow(release: ReleaseId, reason: string): void {
    this.#add(release, reason);
    const { file, isKept } = this.#options;
    if (!isKept) return;
    // Where a newer process of the target has gone on, it is to hear of it, too.
    const known = highestIn(readNow(file));
    const line = encode(known === null || compareCounters(known, this.#state) <= 0 ? this.#state : withReverted(known, release, reason));
    if (!appendDurablyNow(file, line)) writeDurablyNow(file, line);
  }

  async forgetReverted(release: ReleaseId): Promise<void> {
    if (this.findReverted(release) === null) return;
    this.#state = { ...this.#state, reverted: this.#state.reverted.filter((r) => r.release !== release) };
    await this.#write();
  }

  #add(release: ReleaseId, reason: string): void {
    this.#state = withReverted(this.#state, release, reason);
  }

  #write(): Promise<void> {
    if (!this.#options.isKept) return Promise.resolve();
    // One after the other, each with the newest state; a failed one does not stop the next.
    const write = (): Promise<void> => this.#writeNewest();
    this.#written = this.#written.then(write, write);
    return this.#written;
  }

  async #writeNewest(): Promise<void> {
    const { file } = this.#options;
    const line = encode(this.#state);
    const grownBytes = this.#fileBytes + Buffer.byteLength(line) + 1;
    const isAppended = grownBytes <= maxFileBytes && (await appendDurably(file, line));
    if (isAppended) {
      this.#fileBytes = grownBytes;
      return;
    }
    // Another process of the target may have gone further.
    const known = highestIn(await readFile(file, "utf8").catch(() => ""));
    const highest = known !== null && compareCounters(known, this.#state) > 0 ? encode(known) : encode(this.#state);
    await writeDurably(file, highest);
    this.#fileBytes = Buffer.byteLength(highest);
  }
}

/** A file that is missing or damaged counts as "nothing accepted yet"; `isDamaged` tells of the second. */
export async function openFloor(options: FloorOptions): Promise<{ readonly floor: Floor; readonly isDamaged: boolean }> {
  let text: string;
  try {
    text = await readFile(options.file, "utf8");
  } catch (problem) {
    return { floor: new Floor(options, nothing, 0), isDamaged: (problem as NodeJS.ErrnoException).code !== "ENOENT" };
  }
  const highest = highestIn(text);
  return { floor: new Floor(options, highest ?? nothing, Buffer.byteLength(text)), isDamaged: highest === null };
}

/** What a floor's file says; null: nothing that can be read. */
function highestIn(text: string): FloorState | null {
  // A line that was cut off by a crash was never relied on: nothing is swapped before it is whole.
  const states = text.split("\n").flatMap((line) => parseLine(line) ?? []);
  return states.reduce<FloorState | null>((best, state) => (best === null || compareCounters(state, best) >= 0 ? state : best), null);
}

function readNow(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function withReverted(state: FloorState, release: ReleaseId, reason: string): FloorState {
  const others = state.reverted.filter((r) => r.release !== release);
  return { ...state, reverted: [...others, { release, reason: reason.slice(0, 1000) }].slice(-maxReverted) };
}

function parseLine(line: string): FloorState | null {
  try {
    return parseFloor(JSON.parse(line));
  } catch {
    return null;
  }
}

function encode(state: FloorState): string {
  return JSON.stringify({ version: 1, ...state });
}

function parseFloor(value: unknown): FloorState {
  const f = asRecord(value, "floor");
  return {
    epoch: asCount(f["epoch"], "floor.epoch"),
    counter: asCount(f["counter"], "floor.counter"),
    release: asNullable(f["release"], parseDigest, "floor.release"),
    issuedAtMs: asNumber(f["issuedAtMs"], "floor.issuedAtMs"),
    reverted: asArray(f["reverted"], "floor.reverted", 1000).map((item) => {
      const r = asRecord(item, "floor.reverted");
      return { release: parseDigest(r["release"], "floor.reverted.release"), reason: asString(r["reason"], "floor.reverted.reason") };
    }),
  };
}
