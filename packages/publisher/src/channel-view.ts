import { compareCounters, type Assign, type Cursor, type Digest, type LogEntry, type Registry, type Release, type ReleaseId, type Transition } from "@midflight/protocol";
import { verifyAssign, verifyRelease, verifyTransition, type TrustRoot } from "@midflight/trust";

/** What a publisher knows of a channel: its log, folded. */
export interface ChannelView {
  /** Reads what was appended since. */
  refresh(): Promise<void>;
  /** These were just signed here and appended: they need not be verified when they are read back. */
  appended(entries: readonly OwnEntry[]): void;
  /** Id of the newest assign, for compare-and-set. */
  readonly head: Digest | null;
  /** The newest assign that was verified. */
  readonly live: Assign | null;
  /** Highest number of a release; 0 if there is none. */
  readonly lastNumber: number;
  /** Id of the newest release, for compare-and-set. */
  readonly lastRelease: Digest | null;
  /** Releases of that very content, made in that way; the newest last. */
  readonly holding: (content: ReleaseContent) => readonly NumberedRelease[];
  /** The release of that number. */
  numbered(number: number): ReleaseId | null;
  /** Units that a transition from this boot release ever named. */
  touched(boot: ReleaseId): ReadonlySet<string>;
  /** Units that a transition from this boot release ever reloaded. */
  reloaded(boot: ReleaseId): ReadonlySet<string>;
  /** Artifacts of units that a transition from this boot release ever added: processes may have loaded them. */
  added(boot: ReleaseId): Added;
  /** True if the log has a transition that holds for every process of that boot release. */
  hasRoute(from: ReleaseId, to: ReleaseId): boolean;
}

/** What makes two releases the same but for their number and where they come from. */
export type ReleaseContent = Pick<Release, "tree" | "lock" | "dependencies" | "instrumentation">;

export interface NumberedRelease {
  readonly id: ReleaseId;
  readonly number: number;
}

/** A statement that was signed here. */
export type OwnEntry =
  | { readonly kind: "release"; readonly id: Digest; readonly release: Release }
  | { readonly kind: "transition"; readonly id: Digest; readonly transition: Transition }
  | { readonly kind: "assign"; readonly id: Digest; readonly assign: Assign };

/** Digests of artifacts, by unit. */
export type Added = ReadonlyMap<string, ReadonlySet<Digest>>;

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
  let lastRelease: Digest | null = null;
  const contents = new Map<string, NumberedRelease[]>();
  const numbers = new Map<number, ReleaseId>();
  const touched = new Map<ReleaseId, { readonly units: Set<string>; readonly reloaded: Set<string>; grewAt: number }>();
  const added = new Map<ReleaseId, Map<string, Set<Digest>>>();
  const routes = new Map<string, Route>();
  const own = new Map<Digest, OwnEntry>();
  let seq = 0;

  function apply(entry: LogEntry): void {
    seq += 1;
    if (entry.kind === "assign") head = entry.id;
    if (entry.kind === "release") lastRelease = entry.id;
    const read = own.get(entry.id) ?? verify(entry);
    own.delete(entry.id);
    if (read?.kind === "release") {
      lastNumber = Math.max(lastNumber, read.release.number);
      numbers.set(read.release.number, read.id);
      const key = keyOf(read.release);
      contents.set(key, [...(contents.get(key) ?? []), { id: read.id, number: read.release.number }]);
    } else if (read?.kind === "transition") applyTransition(read.transition);
    else if (read?.kind === "assign" && read.assign.channel === channel) {
      const { number, release } = read.assign;
      // Of a release that the log has lost, an assign that went back to it is all that tells the number.
      if (!numbers.has(number)) numbers.set(number, release);
      lastNumber = Math.max(lastNumber, number);
      if (live === null || compareCounters(read.assign, live) > 0) live = read.assign;
    }
  }

  /** Whatever was not signed by those whom the root names is as if it were not there, but for the compare-and-set. */
  function verify({ kind, envelope }: LogEntry): OwnEntry | null {
    try {
      if (kind === "release") return { kind, ...verifyRelease(envelope, root) };
      return kind === "transition" ? { kind, ...verifyTransition(envelope, root) } : { kind, ...verifyAssign(envelope, root) };
    } catch {
      return null;
    }
  }

  function applyTransition(transition: Transition): void {
    const known = touched.get(transition.from) ?? { units: new Set(), reloaded: new Set(), grewAt: seq };
    touched.set(transition.from, known);
    for (const { unit } of transition.units) {
      if (known.units.has(unit)) continue;
      known.units.add(unit);
      known.grewAt = seq;
    }
    for (const { unit, rung } of transition.verdicts) if (rung === "reload") known.reloaded.add(unit);
    const loaded = added.get(transition.from) ?? new Map<string, Set<Digest>>();
    added.set(transition.from, loaded);
    for (const { unit, artifact } of transition.added) loaded.set(unit, (loaded.get(unit) ?? new Set()).add(artifact));
    routes.set(transition.from + transition.to, { seq, instrumentation: transition.instrumentation });
  }

  return {
    async refresh() {
      for (;;) {
        const page = await registry.read(channel, cursor, pageEntries);
        // After a gap what is known stays true, but for the head: the log may be another one.
        if (page.gap) {
          head = null;
          lastRelease = null;
          live = null;
          routes.clear();
        }
        for (const entry of page.entries) apply(entry);
        cursor = page.next;
        if (page.isEnd) return;
      }
    },
    appended(entries) {
      for (const entry of entries) own.set(entry.id, entry);
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
    get lastRelease() {
      return lastRelease;
    },
    holding: (content) => contents.get(keyOf(content)) ?? [],
    numbered: (number) => numbers.get(number) ?? null,
    touched: (boot) => touched.get(boot)?.units ?? new Set(),
    reloaded: (boot) => touched.get(boot)?.reloaded ?? new Set(),
    added: (boot) => added.get(boot) ?? new Map(),
    hasRoute(from, to) {
      const route = routes.get(from + to);
      return route !== undefined && route.instrumentation === instrumentation && route.seq >= (touched.get(from)?.grewAt ?? 0);
    },
  };
}

function keyOf({ tree, lock, dependencies = null, instrumentation }: ReleaseContent): string {
  return `${tree} ${lock} ${dependencies} ${instrumentation}`;
}
