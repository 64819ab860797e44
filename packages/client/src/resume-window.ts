export interface ResumeWindowOptions {
  /** How many clients without a connection are remembered; the longest gone are forgotten first. Default: 10,000. */
  readonly maxIds?: number;
  /** For how long one is remembered after its last connection; in ms. Default: 600,000. */
  readonly ttlMs?: number;
  /** In ms. Default: `Date.now`. */
  readonly now?: () => number;
}

/** What a process remembers of one client. */
export interface ResumeEntry {
  /** The id of the last message that was dealt with; `null`: nothing is known. */
  last: number | null;
  /** The connection that speaks for it. Another one of the same client takes its place. */
  holder: object | null;
  /** What is under way, one after the other, over all connections of this client. */
  work: Promise<void>;
  /** How much of that there is. */
  pending: number;
}

/** Bounded in memory and time. Nothing is kept on a timer: whoever comes clears what is overdue. */
export interface ResumeWindow {
  readonly size: number;
  /** The entry of this client, a new one if nothing is remembered; it stays as long as it has a holder or work. */
  take(key: string): ResumeEntry;
  /** Without holder and work, its time runs. */
  release(key: string): void;
}

export function createResumeWindow({ maxIds = 10_000, ttlMs = 600_000, now = Date.now }: ResumeWindowOptions = {}): ResumeWindow {
  const entries = new Map<string, ResumeEntry>();
  /** Since when, in the order in which they left. */
  const idle = new Map<string, number>();

  function clear(): void {
    const overdue = now() - ttlMs;
    for (const [key, since] of idle) {
      if (idle.size <= maxIds && since > overdue) return;
      idle.delete(key);
      entries.delete(key);
    }
  }

  return {
    get size() {
      return entries.size;
    },
    take(key) {
      clear();
      idle.delete(key);
      const entry = entries.get(key) ?? { last: null, holder: null, work: Promise.resolve(), pending: 0 };
      entries.set(key, entry);
      return entry;
    },
    release(key) {
      const entry = entries.get(key);
      if (entry === undefined || entry.holder !== null || entry.pending > 0) return;
      idle.delete(key);
      idle.set(key, now());
      clear();
    },
  };
}
