import type { Connection, OpenRollout } from "@midflight/control";
import { MidflightError } from "@midflight/protocol";
import type { Context, RunCommand } from "../cli/context.ts";
import type { Answer } from "../output/answer.ts";
import { exits } from "../output/exit-code.ts";
import { renderRollout, rolloutJson, stepName } from "../view/rollout-view.ts";
import { confirm } from "./ask.ts";
import { connected } from "./connected.ts";
import { followRollout } from "./follow-rollout.ts";
import { progressOf } from "./progress.ts";

type Options = Readonly<Record<string, unknown>>;

/** `midflight pause`: no wave follows before somebody says so; what runs stays, and the gates go on judging it. */
export function pause(options: Options): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      const { requireOpenRollout, steerRollout } = await import("@midflight/control");
      const open = await requireOpenRollout(connection);
      const { number } = open.head.assign;
      if (open.wave.mode === "paused") return { data: { outcome: "unchanged", rollout: rolloutJson(open.state) }, lines: [`r${number} is paused already.`], next: steps };
      await steerRollout(connection, open, "pause", reasonOf(options, "it was paused"));
      return { data: { outcome: "paused", release: `r${number}`, wave: open.wave.step + 1, waves: open.wave.steps.length }, lines: [`r${number} is paused at wave ${open.wave.step + 1} of ${open.wave.steps.length}; what runs stays as it is.`], next: steps };
    });
}

const steps = [
  { command: "midflight promote", why: "let the next wave follow" },
  { command: "midflight abort", why: "take it back" },
];

/** `midflight promote`: the next wave follows now, also of one that is paused or held. */
export function promote(options: Options): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      const { isDevelopment, requireOpenRollout, steerRollout } = await import("@midflight/control");
      const open = await requireOpenRollout(connection);
      const { number } = open.head.assign;
      const { wave } = open;
      const at = wave.step + 1;
      show(context, open);
      if (open.hasNext && !isDevelopment(connection.config) && !(await confirm(context, `Let r${number} reach ${stepName(wave.steps[at]!, at === wave.steps.length - 1)}?`, options["yes"] === true, false))) return declined;
      const { step } = await steerRollout(connection, open, "promote", reasonOf(options, "it was promoted"));
      return {
        data: { outcome: "promoted", release: `r${number}`, wave: step + 1, waves: wave.steps.length },
        lines: [`r${number} reaches ${stepName(wave.steps[step]!, step === wave.steps.length - 1)} now, wave ${step + 1} of ${wave.steps.length}.`],
        next: [{ command: "midflight status --watch", why: "see the rest of it" }, { command: "midflight abort", why: "take it back" }],
      };
    });
}

/** `midflight abort`: back to what ran before, on every process. Never harder than the deploy was. */
export function abort(options: Options): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      const { isDevelopment, openAssigner, requireOpenRollout, takeBackSeen, toRefusal } = await import("@midflight/control");
      const startedAt = performance.now();
      const open = await requireOpenRollout(connection);
      const { assign } = open.head;
      show(context, open);
      if (!isDevelopment(connection.config) && !(await confirm(context, `Take r${assign.number} back?`, options["yes"] === true, true))) return declined;
      const progress = progressOf(context);
      try {
        const publisher = openAssigner(connection);
        const outcome = await takeBackSeen(connection, publisher, assign.release, { to: open.wave.before, why: reasonOf(options, "it was aborted") });
        if (outcome.kind === "refused") return { data: { outcome: "refused" }, lines: [], error: toRefusal(outcome, "replace", `r${assign.number} stays where it is.`) };
        if (outcome.kind === "unchanged") return { data: { outcome: "unchanged", release: `r${outcome.number}` }, lines: [`r${outcome.number} is live already.`] };
        return await followRollout({ context, connection, publisher, progress, outcome, startedAt, verb: "rollback", cameFrom: assign.number, timeoutSeconds: options["timeout"] as number | undefined, data: { aborted: `r${assign.number}` } });
      } finally {
        progress.end();
      }
    });
}

const declined: Answer = { data: { outcome: "declined" }, lines: ["Nothing was done."], exit: exits.usage };

function reasonOf(options: Options, otherwise: string): string {
  return typeof options["why"] === "string" ? options["why"].slice(0, 1000) : otherwise;
}

function show({ screen }: Context, { state }: OpenRollout): void {
  if (!screen.isJson && state !== null) screen.out.print(...renderRollout(state, screen.out, Date.now()));
}

/**
 * Waits for a rollout that holds the channel, as long as `--lock-wait` says.
 * @throws MidflightError `ROLLOUT_IN_PROGRESS` naming who holds it, since when, and where it is
 */
export async function awaitChannel(context: Context, connection: Connection, waitSeconds: number | undefined, tell: (text: string) => void): Promise<void> {
  const { awaitUnlocked } = await import("@midflight/control");
  let holder: OpenRollout | null = null;
  const leave = new AbortController();
  const stopHandling = context.interrupts.handle(() => leave.abort());
  try {
    const isFree = await awaitUnlocked(connection, (waitSeconds ?? 0) * 1000, leave.signal, (open) => {
      holder = open;
      tell(`Waiting: ${describeHolder(open)}`);
    });
    tell("");
    if (leave.signal.aborted) throw new MidflightError("COMMAND_INTERRUPTED", { what: "You left while it waited for a rollout.", why: "it was interrupted.", state: "nothing was done." });
    if (!isFree) throw inProgress(holder!, waitSeconds);
  } finally {
    stopHandling();
  }
}

function describeHolder({ head: { assign }, wave, state }: OpenRollout): string {
  const phase = state?.phase ?? (wave.mode === "paused" ? "paused" : "rolling");
  return `r${assign.number}, wave ${wave.step + 1} of ${wave.steps.length}, ${phase}; by ${assign.by} since ${new Date(state?.startedAt ?? assign.issuedAt).toISOString()}`;
}

function inProgress(open: OpenRollout, waitSeconds: number | undefined): MidflightError {
  return new MidflightError("ROLLOUT_IN_PROGRESS", {
    what: waitSeconds === undefined ? "A rollout goes on." : `A rollout still goes on after ${waitSeconds} s.`,
    why: [describeHolder(open), ...(open.state?.because === null || open.state === null ? [] : [open.state.because])].join("\n"),
    state: "nothing was done.",
    fix: ["midflight deploy --lock-wait 15m", "midflight promote", "midflight abort"],
    retryable: true,
    details: { release: `r${open.head.assign.number}`, by: open.head.assign.by },
  });
}
