import { appliesTo, compareCounters, type Cursor, type Registry } from "@midflight/protocol";
import { verifyAssign, type TrustRoot } from "@midflight/trust";
import type { LiveAssign } from "../live-release.ts";

/** A channel's log, folded as agents fold it: by target. */
export interface Followed {
  /** Reads what was appended since. */
  refresh(): Promise<void>;
  /** The newest assign; null before the first deploy. */
  readonly newest: LiveAssign | null;
  /** Every assign that some target may follow: the newest first, down to the one that speaks to all. */
  readonly assigns: readonly LiveAssign[];
  /** How far the log was read; null: not at all yet. */
  readonly position: Cursor | null;
  /** What a target of this name has to follow; null: nothing was ever assigned to it. */
  of(target: string): LiveAssign | null;
}

const pageEntries = 1_000;

export function openFollowed(registry: Pick<Registry, "read">, channel: string, root: TrustRoot): Followed {
  let cursor: Cursor | null = null;
  let assigns: readonly LiveAssign[] = [];
  let reading: Promise<void> = Promise.resolve();

  async function read(): Promise<void> {
    for (;;) {
      const page = await registry.read(channel, cursor, pageEntries);
      // What retention cut off nobody follows; of another log, what was known is of no use.
      const found = page.entries.flatMap(({ kind, envelope }) => (kind === "assign" ? readOwn(envelope) : []));
      assigns = keepFollowed([...found, ...(page.gap ? [] : assigns)]);
      cursor = page.next;
      if (page.isEnd) return;
    }
  }

  /** Whatever was not signed by those whom the root names is as if it were not there. */
  function readOwn(envelope: Parameters<typeof verifyAssign>[0]): LiveAssign[] {
    try {
      const live = verifyAssign(envelope, root);
      return live.assign.channel === channel ? [live] : [];
    } catch {
      return [];
    }
  }

  return {
    // One after the other: two readers from the same place would see the same entries twice.
    refresh: () => (reading = reading.then(read, read)),
    get newest() {
      return assigns[0] ?? null;
    },
    get position() {
      return cursor;
    },
    get assigns() {
      return assigns;
    },
    of: (target) => followedBy(assigns, target),
  };
}

/** In any order in; the newest first out, down to the one that speaks to all. */
export function keepFollowed(found: readonly LiveAssign[]): readonly LiveAssign[] {
  const sorted = [...new Map(found.map((live) => [live.id, live])).values()].sort((a, b) => compareCounters(b.assign, a.assign));
  const last = sorted.findIndex(({ assign }) => assign.targets.kind === "all");
  return last < 0 ? sorted : sorted.slice(0, last + 1);
}

/** The newest assign that speaks to a target. @param assigns the newest first */
export function followedBy(assigns: readonly LiveAssign[], target: string): LiveAssign | null {
  return assigns.find(({ assign }) => appliesTo(assign.targets, target)) ?? null;
}
