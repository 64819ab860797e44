import { appliesTo, compareCounters, maxEnclosedBytes, MidflightError, sizeOf, type Assign, type Blob, type Digest, type Envelope, type LogEntry, type ReleaseId } from "@midflight/protocol";
import { verifyAssign, type TrustRoot } from "@midflight/trust";
import { Pace } from "./pace.ts";
import { describeProblem } from "./signal.ts";

/** A verified assign of our channel that speaks to this target. */
export interface Order {
  readonly id: Digest;
  readonly assign: Assign;
}

export interface InboxOptions {
  readonly channel: string;
  readonly target: string;
  readonly root: TrustRoot;
  /** Release that the process started from: only transitions that begin there matter. */
  readonly boot: ReleaseId;
  /** An entry that is not obeyed; called once per object. */
  readonly onRefused: (id: Digest, problem: ReturnType<typeof describeProblem>) => void;
}

const maxRemembered = 256;
const maxEnvelopes = 32;

/**
 * Folds the channel's log, as it comes, to the newest assign for this target. Repeated, reordered or missing entries
 * change nothing: only the highest counter counts. Transitions are remembered by their hints and verified on use.
 */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #pace = new Pace();
  readonly #transitions = new Map<ReleaseId, Envelope>();
  readonly #releases = new Map<ReleaseId, Envelope>();
  readonly #refused = new Set<Digest>();
  #enclosed: ReadonlyMap<Digest, Uint8Array> = new Map();
  #newest: Order | null = null;
  #changes = 0;
  #waiting: (() => void) | null = null;
  #change: Promise<void> | null = null;
  /** Entries are taken one batch after the other, in the order of the calls. */
  #taken: Promise<void> = Promise.resolve();
  #highestSeq = -1;
  #epoch = "";

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** The order that this target has to follow; null: none yet. */
  get newest(): Order | null {
    return this.#newest;
  }

  /** Counts up whenever something came that may matter. */
  get changes(): number {
    return this.#changes;
  }

  /** Settles when more has come than the caller has seen. */
  changed(since: number = this.#changes): Promise<void> {
    if (since !== this.#changes) return Promise.resolve();
    this.#change ??= new Promise((resolve) => {
      this.#waiting = resolve;
    });
    return this.#change;
  }

  /** Lets whoever waits look again. */
  wake(): void {
    this.#changes++;
    const resolve = this.#waiting;
    this.#waiting = null;
    this.#change = null;
    resolve?.();
  }

  /** The newest transition to that release from the boot release that the log has shown so far; not verified. */
  findTransition(to: ReleaseId): Envelope | null {
    return this.#transitions.get(to) ?? null;
  }

  /** A release that the log has shown; not verified. */
  findRelease(id: ReleaseId): Envelope | null {
    return this.#releases.get(id) ?? null;
  }

  /** What came along with the newest entries that had something with them; not verified. */
  findBlob(digest: Digest): Uint8Array | null {
    return this.#enclosed.get(digest) ?? null;
  }

  /** @param enclosed blobs that came along */
  take(entries: readonly LogEntry[], enclosed: readonly Blob[] = []): Promise<void> {
    this.#taken = this.#taken.then(() => this.#takeAll(entries, enclosed));
    return this.#taken;
  }

  async #takeAll(entries: readonly LogEntry[], enclosed: readonly Blob[]): Promise<void> {
    if (enclosed.length > 0 && sizeOf(enclosed) <= maxEnclosedBytes) this.#enclosed = new Map(enclosed.map(({ digest, bytes }) => [digest, bytes]));
    let isNews = false;
    this.#pace.resume();
    for (const entry of entries) {
      isNews = this.#takeOne(entry) || isNews;
      await this.#pace.breathe();
    }
    if (isNews) this.wake();
  }

  #takeOne(entry: LogEntry): boolean {
    switch (entry.kind) {
      case "assign":
        return this.#takeAssign(entry);
      case "transition":
        return this.#takeTransition(entry);
      case "release":
        remember(this.#releases, entry.id, entry.envelope);
        return false;
    }
  }

  #takeTransition(entry: LogEntry): boolean {
    if (entry.from !== this.#options.boot || entry.to === undefined) return false;
    remember(this.#transitions, entry.to, entry.envelope);
    return true;
  }

  #takeAssign(entry: LogEntry): boolean {
    try {
      const { id, assign } = verifyAssign(entry.envelope, this.#options.root);
      if (assign.channel !== this.#options.channel) {
        throw new MidflightError("CHANNEL_MISMATCH", `An assign of channel ${assign.channel.slice(0, 80)} stands in the log of ${this.#options.channel}.`);
      }
      if (!appliesTo(assign.targets, this.#options.target)) return false;
      const order = this.#newest === null ? 1 : compareCounters(assign, this.#newest.assign);
      const isLate = this.#isLate(entry);
      if (order > 0) {
        this.#newest = { id, assign };
        return true;
      }
      if (isLate && id !== this.#newest?.id) {
        throw new MidflightError("ASSIGN_REPLAYED", `The log shows assign ${assign.counter} after ${this.#newest!.assign.counter}.`);
      }
    } catch (problem) {
      this.#refuse(entry.id, problem);
    }
    return false;
  }

  /** True for an entry behind all that were seen: history read again is no replay. */
  #isLate({ cursor }: LogEntry): boolean {
    if (cursor.epoch !== this.#epoch) {
      this.#epoch = cursor.epoch;
      this.#highestSeq = cursor.seq;
      return false;
    }
    const isLate = cursor.seq > this.#highestSeq;
    if (isLate) this.#highestSeq = cursor.seq;
    return isLate;
  }

  #refuse(id: Digest, problem: unknown): void {
    if (this.#refused.has(id)) return;
    this.#refused.add(id);
    if (this.#refused.size > maxRemembered) this.#refused.delete(this.#refused.values().next().value!);
    this.#options.onRefused(id, describeProblem(problem));
  }
}

/** The newest, a bounded number of them. */
function remember(map: Map<ReleaseId, Envelope>, key: ReleaseId, envelope: Envelope): void {
  map.delete(key);
  map.set(key, envelope);
  if (map.size > maxEnvelopes) map.delete(map.keys().next().value!);
}
