import { appliesTo, type Assign } from "@midflight/protocol";
import { describeOpen, type Member } from "../operation/fleet.ts";
import type { WaveStanding } from "./state.ts";

/**
 * How those stand that an assign speaks to. One that says no is enough to fail; as long as one has not said yes, the wave moves.
 * @param members all of them, judged by what each has to follow
 * @param expected the processes that the configuration asks for; others that run code of their own do not count
 */
export function standingOf(assign: Pick<Assign, "targets">, members: readonly Member[], expected: ReadonlySet<string>): WaveStanding {
  const own = members.filter(({ target, standing }) => appliesTo(assign.targets, target) && (standing !== "unregistered" || expected.has(target)));
  const wave = own.map(({ target }) => target).filter((target) => expected.has(target) || !/[/#]/.test(target)).sort();
  const failed = own.filter(({ standing }) => standing === "refused" || standing === "reverted" || standing === "unregistered");
  if (failed.length > 0) return { kind: "failed", wave, because: describeOpen(failed) };
  const open = own.filter(({ standing }) => standing !== "confirmed");
  // Of a wave that speaks to nobody, nobody can say that it does well.
  if (open.length > 0 || own.length === 0) return { kind: "moving", wave, confirmed: own.length - open.length, because: own.length === 0 ? "no process is there" : describeOpen(open) };
  return { kind: "confirmed", wave };
}
