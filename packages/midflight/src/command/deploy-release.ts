import type { Connection, History, ReleaseRecord } from "@midflight/control";
import type { Rung, UnitVerdict } from "@midflight/protocol";
import type { Context } from "../cli/context.ts";
import type { Answer } from "../output/answer.ts";
import type { Pane } from "../output/pane.ts";
import { hanging } from "../output/text.ts";
import { nameOf, releaseJson, subjectOf } from "../view/release-view.ts";
import { renderSteps } from "../view/rollout-view.ts";
import { renderVerdicts } from "../view/verdict-view.ts";
import { exits } from "../output/exit-code.ts";
import { confirm } from "./ask.ts";
import { serves } from "./serves.ts";
import { followRollout } from "./follow-rollout.ts";
import { progressOf } from "./progress.ts";
import { awaitChannel } from "./steer.ts";

/** Makes a release that exists the live one again. */
export async function deployRelease(context: Context, connection: Connection, given: string, options: Readonly<Record<string, unknown>>): Promise<Answer> {
  const { findRelease, isDevelopment, openAssigner, readHistory, requirePackages, toRefusal, wavesOf } = await import("@midflight/control");
  const startedAt = performance.now();
  await awaitChannel(context, connection, options["lockWait"] as number | undefined, () => undefined);
  const history = await readHistory(connection);
  const target = findRelease(history, given);
  await requirePackages({ ...connection, root: connection.secrets.root, projectDir: connection.config.projectDir }, target.id, target.number);
  const maxRung = (options["maxRung"] as Rung | undefined) ?? connection.config.rollout.maxRung;
  const { screen } = context;
  if (!screen.isJson) screen.out.print(...renderWay(history, target, "Deploy", screen.out), ...renderSteps(connection.config, screen.out));
  const data = { to: releaseJson(target) };
  if (!isDevelopment(connection.config) && !(await confirm(context, `Deploy r${target.number} to ${connection.config.channel}?`, options["yes"] === true, false))) {
    return { data: { ...data, outcome: "declined" }, lines: ["Nothing was done."], exit: exits.usage };
  }
  const progress = progressOf(context);
  try {
    progress.show("Publishing");
    const publisher = openAssigner(connection);
    const outcome = await publisher.assign(target.id, { cause: "deploy", maxRung, ...wavesOf(connection.config) });
    progress.show("");
    if (outcome.kind === "refused") return { data: { ...data, outcome: "refused" }, lines: [], error: toRefusal(outcome, maxRung, serves(history.head?.number)) };
    if (outcome.kind === "unchanged") return { data: { ...data, outcome: "unchanged", release: `r${outcome.number}` }, lines: [`r${outcome.number} is live already.`] };
    return await followRollout({ context, connection, publisher, progress, outcome, startedAt, verb: "deploy", cameFrom: history.head?.number, timeoutSeconds: options["timeout"] as number | undefined, data });
  } finally {
    progress.end();
  }
}

/** From what is live to a release that exists: as it was planned, if it was. */
export function renderWay(history: History, target: ReleaseRecord, verb: string, pane: Pane): string[] {
  const live = history.releases.find((record) => record.id === history.head?.release);
  const verdicts = live === undefined ? null : verdictsBetween(history, live, target);
  const head = `${pane.paint("strong", verb)}  ${live === undefined ? "nothing" : nameOf(live.release, live.id)} → ${nameOf(target.release, target.id)}`;
  const subject = subjectOf(target.release.provenance);
  return [head, ...(subject === "" ? [] : hanging("", 2, subject, pane.width)), ...(verdicts === null ? [] : renderVerdicts(verdicts, pane, "  "))];
}

/** The log holds ways from releases that processes started from. Where none leads there, the way that came from there tells what goes back. */
function verdictsBetween(history: History, live: ReleaseRecord, target: ReleaseRecord): readonly UnitVerdict[] | null {
  const direct = history.transition(live.id, target.id);
  if (direct !== null) return direct.verdicts;
  const back = history.transition(target.id, live.id)?.verdicts;
  return back?.map((verdict) => ({ ...verdict, reason: `as it was in r${target.number}`, evidence: [] })) ?? null;
}
