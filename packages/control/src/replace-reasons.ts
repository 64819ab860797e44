import { formatCursor, type Cursor, type Digest, type Registry, type ReleaseId } from "@midflight/protocol";
import { verifyTransition, type TrustRoot } from "@midflight/trust";

/**
 * Why a process that started from one release has to be replaced to become another; null if it need not be, or if no way
 * is known. `at`: how far the channel's log has been read.
 */
export type ReplaceReasons = (from: ReleaseId, to: ReleaseId, at: Cursor | null) => Promise<string | null>;

const maxRemembered = 200;

/** Control asks several times a second, and a way can be a megabyte: it is read again when the log has grown, and verified when it is another one. */
export function createReplaceReasons(registry: Pick<Registry, "transition">, root: TrustRoot): ReplaceReasons {
  const known = new Map<string, { readonly id: Digest; readonly at: string | null; readonly reason: string | null }>();
  return async (from, to, at) => {
    const key = `${from}>${to}`;
    const place = at === null ? null : formatCursor(at);
    const before = known.get(key);
    if (before !== undefined && place !== null && before.at === place) return before.reason;
    const entry = await registry.transition(from, to);
    if (entry === null) return null;
    const reason = before?.id === entry.id ? before.reason : reasonOf(entry.envelope, root);
    if (known.size >= maxRemembered) known.clear();
    known.set(key, { id: entry.id, at: place, reason });
    return reason;
  };
}

function reasonOf(envelope: Parameters<typeof verifyTransition>[0], root: TrustRoot): string | null {
  const { transition } = verifyTransition(envelope, root);
  if (transition.rung !== "replace") return null;
  const worst = transition.verdicts.find((verdict) => verdict.rung === "replace");
  return worst === undefined ? "the planner asks for it" : `${worst.unit}: ${worst.reason}`;
}
