import { compareCounters, type Assign, type Cursor, type Digest, type LogEntry, type Registry, type ReleaseId } from "@midflight/protocol";
import { verifyAssign, verifyRelease, verifyTransition, type TrustRoot } from "@midflight/trust";

/** What a publisher knows of a channel: its log, folded. */
export interface ChannelView {
  /** Reads what was appended since. */
  refresh(): Promise<void>;
  /** Id of the newest assign, for compare-and-set. */
  readonly head: Digest | null;
  /** The newest assign that was verified. */
  readonly live: Assign | null;
  /** Highest number of a release; 0 if there is none. */
  readonly lastNumber: number;
  /** The release of that number. */
  numbered(number: number): ReleaseId | null;
  /** Units that a transition from this boot release ever named. */
  touched(boot: ReleaseId): ReadonlySet<string>;
  /** True if the log has a transition that holds for every process of that boot release. */
  hasRoute(from: ReleaseId, to: ReleaseId): boolean;
}

interface Route {
  readonly seq: number;
  readonly instrumentation: number;
}

const pageEntries = 1_000;

export function openChannelView(registry: Registry, channel: string, root: TrustRoot, instrumentation: number): ChannelView {
  let cursor: Cursor | null = null;
  let head: Digest | null = null;
  let live: Assign | null = null;
  let lastNumber = 0;
  const numbers = new Map<number, ReleaseId>();
  const touched = new Map<ReleaseId, { readonly units: Set<string>; grewAt: number }>();
  const routes = new Map<string, Route>();
  let seq = 0;

  /** Whatever was not signed by those whom the root names is as if it were not there, but for the compare-and-set. */
  function apply(entry: LogEntry): void {
    seq += 1;
    if (entry.kind === "assign") head = entry.id;
    try {
      if (entry.kind === "release") applyRelease(entry);
      else if (entry.kind === "transition") applyTransition(entry);
      else {
        const { assign } = verifyAssign(entry.envelope, root);
        if (assign.channel === channel && (live === null || compareCounters(assign, live) > 0)) live = assign;
      }
    } catch {
      return;
    }
  }

  function applyRelease(entry: LogEntry): void {
    const { id, release } = verifyRelease(entry.envelope, root);
    lastNumber = Math.max(lastNumber, release.number);
    numbers.set(release.number, id);
  }

  function applyTransition(entry: LogEntry): void {
    const { transition } = verifyTransition(entry.envelope, root);
    const known = touched.get(transition.from) ?? { units: new Set(), grewAt: seq };
    touched.set(transition.from, known);
    for (const { unit } of transition.units) {
      if (known.units.has(unit)) continue;
      known.units.add(unit);
      known.grewAt = seq;
    }
    routes.set(transition.from + transition.to, { seq, instrumentation: transition.instrumentation });
  }

  return {
    async refresh() {
      for (;;) {
        const page = await registry.read(channel, cursor, pageEntries);
        // After a gap what is known stays true, but for the head: the log may be another one.
        if (page.gap) {
          head = null;
          live = null;
          routes.clear();
        }
        for (const entry of page.entries) apply(entry);
        cursor = page.next;
        if (page.isEnd) return;
      }
    },
    get head() {
      return head;
    },
    get live() {
      return live;
    },
    get lastNumber() {
      return lastNumber;
    },
    numbered: (number) => numbers.get(number) ?? null,
    touched: (boot) => touched.get(boot)?.units ?? new Set(),
    hasRoute(from, to) {
      const route = routes.get(from + to);
      return route !== undefined && route.instrumentation === instrumentation && route.seq >= (touched.get(from)?.grewAt ?? 0);
    },
  };
}
