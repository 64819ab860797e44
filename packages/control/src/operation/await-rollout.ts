import type { ReleaseId } from "@midflight/protocol";
import { verifyAssign } from "@midflight/trust";
import type { Connection } from "./connect.ts";
import { expectedTargets, readFleet, type Member } from "./fleet.ts";
import { pause } from "./pause.ts";

export interface RolloutOptions {
  readonly release: ReleaseId;
  readonly counter: number;
  /** Ends the wait; what was published goes on. */
  readonly signal: AbortSignal;
  /** How long a process may stay without a word before it counts as not answering. Milliseconds. Default: 30 000. */
  readonly silentAfterMs?: number;
  /** Called with each change. */
  readonly onChange?: (members: readonly Member[]) => void;
}

export type RolloutResult =
  /** Every process reads the release back as live. */
  | { readonly kind: "confirmed"; readonly members: readonly Member[] }
  /** At least one said no; the others may have said yes. */
  | { readonly kind: "refused"; readonly members: readonly Member[] }
  /** At least one does not answer. */
  | { readonly kind: "silent"; readonly members: readonly Member[] }
  /** Another assign came in between. */
  | { readonly kind: "overtaken"; readonly members: readonly Member[] }
  /** The caller stopped waiting. */
  | { readonly kind: "left"; readonly members: readonly Member[] };

const pollMs = 25;
/** A report that does not come is no reason to wait longer. */
const reportWaitMs = 500;

/** Waits until every process has said what became of a release. */
export async function awaitRollout(connection: Connection, options: RolloutOptions): Promise<RolloutResult> {
  const silentAfterMs = options.silentAfterMs ?? 30_000;
  const expected = expectedTargets(connection.config);
  const tries = countTries();
  let confirmedAt: number | null = null;
  let key = "";
  let changedAt = performance.now();
  for (let round = 0; ; round++) {
    const members = await readFleet(connection, () => options);
    const now = JSON.stringify(members.map((member) => [member.target, member.standing, member.because]));
    if (now !== key) {
      key = now;
      changedAt = performance.now();
      options.onChange?.(members);
    }
    // A stranger that runs its own code is none of ours; one that should run the release and does not is.
    const counted = members.filter((member) => member.standing !== "unregistered" || expected.has(member.target));
    const open = counted.filter((member) => member.standing === "moving" || member.standing === "absent");
    if (open.length === 0) {
      const isConfirmed = counted.every((member) => member.standing === "confirmed");
      if (!isConfirmed) return { kind: "refused", members };
      // The proof came by the beat; how it went comes by the report, a moment later.
      const isTold = counted.every((member) => member.outcome !== null || member.beat?.boot === options.release);
      confirmedAt ??= performance.now();
      if (isTold || performance.now() - confirmedAt > reportWaitMs || options.signal.aborted) return { kind: "confirmed", members };
    }
    if (options.signal.aborted) return { kind: "left", members };
    if ((open.length > 0 && open.every((member) => tries.areSpent(member))) || performance.now() - changedAt > silentAfterMs) return { kind: "silent", members };
    if (round % 8 === 7 && (await isOvertaken(connection, options))) return { kind: "overtaken", members };
    await pause(Math.min(250, pollMs * (1 + Math.floor(round / 20))), options.signal);
  }
}

/** A process that failed so often since the rollout began will not come up while somebody waits. */
const maxTries = 3;

function countTries(): { areSpent(member: Member): boolean } {
  const before = new Map<string, number>();
  return {
    areSpent: ({ target, record }) => {
      if (record === null) return false;
      // Control counts anew for each release.
      const base = before.get(target) ?? record.failures;
      before.set(target, record.failures < base ? 0 : base);
      return record.phase === "waiting" && record.failures - before.get(target)! >= maxTries;
    },
  };
}

async function isOvertaken({ registry, config, secrets }: Connection, { counter, release }: RolloutOptions): Promise<boolean> {
  const head = await registry.head(config.channelName);
  if (head === null) return false;
  const { assign } = verifyAssign(head.envelope, secrets.root);
  return assign.counter > counter && assign.release !== release;
}
