import type { Connection, Member, RolloutState, Settled } from "@midflight/control";
import { MidflightError } from "@midflight/protocol";
import type { Publisher, PublishOutcome } from "@midflight/publisher";
import type { Context } from "../cli/context.ts";
import type { Answer } from "../output/answer.ts";
import { formatDurationMs } from "../output/duration.ts";
import { sign } from "../output/symbols.ts";
import { count } from "../output/text.ts";
import { memberJson } from "../view/fleet-view.ts";
import { describeRollout, reasonsOf } from "../view/rollout-view.ts";
import { exits } from "../output/exit-code.ts";
import type { LiveLine } from "../output/live-line.ts";
import { askToLeave } from "./ask-to-leave.ts";

export interface FollowOptions {
  readonly context: Context;
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly progress: LiveLine;
  readonly outcome: Extract<PublishOutcome, { kind: "published" }>;
  /** When the command began; performance.now(). */
  readonly startedAt: number;
  readonly verb: "deploy" | "rollback";
  /** Number of the release that was live before. */
  readonly cameFrom: number | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly data: Answer["data"];
}

/** Waits until every process has proved what it runs, and says how it ended. Ctrl-C leaves; it never stops half-way. */
export async function followRollout(options: FollowOptions): Promise<Answer> {
  const { context, connection, publisher, progress, outcome, timeoutSeconds } = options;
  const { settleRollout, settleWaves } = await import("@midflight/control");
  const name = `r${outcome.number}`;
  const leave = new AbortController();
  let left = "interrupted" as "interrupted" | "timeout" | "abort";
  const stopHandling = context.interrupts.handle((signal) => {
    void askToLeave(context, signal, progress).then((choice) => {
      if (choice === "stay") return;
      left = choice === "abort" ? "abort" : "interrupted";
      leave.abort();
    });
  });
  const timer = timeoutSeconds === undefined ? undefined : setTimeout(() => {
    left = "timeout";
    leave.abort();
  }, timeoutSeconds * 1000);
  try {
    progress.show(`Published ${name}, waiting for the processes`);
    const { wave } = outcome;
    const settled = wave !== null
      ? await settleWaves(connection, { ...outcome, wave }, { signal: leave.signal, onChange: (state, members) => progress.show(describeWaves(state, members, name)) })
      : await settleRollout(connection, publisher, outcome, {
      signal: leave.signal,
      onChange: (members) => progress.show(describeProgress(members, name)),
      onRollback: (because) => progress.show(`Taking ${name} back: ${because}`),
    });
    if (settled.kind === "left" && left === "abort") return await abortRollout(options);
    progress.end();
    return toAnswer(options, settled, left === "timeout");
  } finally {
    clearTimeout(timer);
    stopHandling();
  }
}

function describeProgress(members: readonly Member[], name: string): string {
  const confirmed = members.filter((member) => member.standing === "confirmed").length;
  const open = members.filter((member) => member.standing === "moving" || member.standing === "absent").map((member) => `${member.target} ${member.because ?? ""}`.trim());
  return `${confirmed} of ${count(members.length, "process", "processes")} on ${name}${open.length === 0 ? "" : ` · ${open.slice(0, 3).join(", ")}`}`;
}

function describeWaves(state: RolloutState | null, members: readonly Member[], name: string): string {
  if (state === null) return `Published ${name}, waiting for control`;
  const tally = `${members.filter(({ beat }) => beat?.live === state.release).length} of ${count(members.length, "process", "processes")} on ${name}`;
  return `${describeRollout(state, Date.now())} · ${tally}${state.because === null ? "" : ` · ${state.because}`}`;
}

/** The person chose to go back; that is a roll-back like any other. */
async function abortRollout(options: FollowOptions): Promise<Answer> {
  const { takeBackSeen } = await import("@midflight/control");
  const { connection, publisher, outcome } = options;
  const back = await takeBackSeen(connection, publisher, outcome.release, outcome.before === null ? {} : { to: outcome.before });
  if (back.kind !== "published") {
    return { data: options.data, lines: [], error: new MidflightError("ROLLBACK_NOTHING", { what: "It could not be taken back.", why: back.kind === "refused" ? back.reason : "it was not live.", state: `r${outcome.number} goes on.` }) };
  }
  const answer = await followRollout({ ...options, outcome: back, verb: "rollback", cameFrom: outcome.number });
  const error = new MidflightError("COMMAND_INTERRUPTED", { what: `r${outcome.number} was aborted.`, why: "you asked for it.", state: `r${back.number} is live again.`, fix: ["midflight status"] });
  return { ...answer, error, exit: answer.error === undefined ? exits.rolledBack : (answer.exit ?? exits.mixed) };
}

function toAnswer(options: FollowOptions, settled: Settled, isTimeout: boolean): Answer {
  const { outcome, context, startedAt, verb } = options;
  const pane = context.screen.out;
  const name = `r${outcome.number}`;
  const { members } = settled;
  const confirmed = members.filter((member) => member.standing === "confirmed");
  const tookMs = performance.now() - startedAt;
  const numbers = new Map([[outcome.release, outcome.number]]);
  const pauses = members.flatMap(({ outcome: own, target }) => (own?.kind === "swapped" ? [{ target, pauseMs: own.pauseMs }] : []));
  const longest = pauses.reduce<(typeof pauses)[number] | null>((most, one) => (most === null || one.pauseMs > most.pauseMs ? one : most), null);
  const tally = `${confirmed.length} of ${count(members.length, "process", "processes")}`;
  const data = {
    ...options.data, outcome: settled.kind, release: name, number: outcome.number, digest: outcome.release, rung: outcome.rung, verdicts: outcome.verdicts, counter: outcome.counter,
    confirmed: confirmed.length, processes: members.map((member) => memberJson(member, numbers)), seconds: tookMs / 1000, longestPauseSeconds: longest === null ? null : longest.pauseMs / 1000,
  };
  switch (settled.kind) {
    case "confirmed": {
      const pause = longest === null ? "" : `, longest pause ${longest.pauseMs < 10 ? `${longest.pauseMs.toFixed(1)} ms` : formatDurationMs(longest.pauseMs)} (${longest.target})`;
      return {
        data,
        lines: [`${pane.paint("good", sign.done)} ${tally} ${confirmed.length === 1 ? "reports" : "report"} ${name} by digest`, `${name} is live after ${formatDurationMs(tookMs)}${pause}.`],
        next: verb === "rollback" ? (options.cameFrom === undefined ? [] : [{ command: `midflight deploy r${options.cameFrom}`, why: "forward again" }]) : [{ command: "midflight rollback", why: "undo it" }],
      };
    }
    case "rolled-back":
      return { data: { ...data, backTo: `r${settled.backTo}`, verdict: settled.verdict ?? null }, lines: [], error: failedError(settled, name, outcome.wave !== null), exit: exits.rolledBack, next: [{ command: `midflight show ${name}`, why: "what became of it in each process" }] };
    case "mixed":
      return {
        data, lines: [],
        error: new MidflightError("FLEET_MIXED", {
          what: `${members.length - confirmed.length} of ${count(members.length, "process", "processes")} did not confirm ${name}.`,
          why: settled.because.split("; ").join("\n"),
          state: `MIXED: ${confirmed.length} on ${name}, ${members.length - confirmed.length} not.`,
          fix: ["midflight status", "midflight rollback"],
        }),
        next: [{ command: "midflight status", why: "what each process runs" }, { command: "midflight rollback", why: "bring all back to one release" }],
      };
    case "overtaken":
      return { data, lines: [], error: new MidflightError("CHANNEL_HEAD_MOVED", { what: `r${settled.by} went live before all processes confirmed ${name}.`, why: "somebody else deployed.", state: `r${settled.by} is live.`, fix: ["midflight status"] }) };
    case "left":
      return leftAnswer(data, name, tally, isTimeout);
  }
}

function failedError(settled: Extract<Settled, { kind: "rolled-back" }>, name: string, isRollout: boolean): MidflightError {
  const reverted = settled.failed.find((member) => member.standing === "reverted" || member.standing === "refused");
  const code = /twice/.test(settled.because) ? "BOOT_FAILED_TWICE" : /could not be replaced/.test(settled.because) ? "REPLACE_FAILED" : reverted?.outcome?.kind === "refused" || reverted?.outcome?.kind === "reverted" ? reverted.outcome.code : isRollout ? "ROLLOUT_STOPPED" : "SWAP_REVERTED";
  const log = settled.failed.flatMap((member) => member.record?.lastFailure ?? [])[0];
  return new MidflightError(code, {
    what: `${name} failed and was taken back.`,
    why: [...reasonsOf(settled.because, settled.verdict), ...(log === undefined ? [] : log.split("\n").slice(-20))].join("\n"),
    state: `r${settled.backTo} serves on ${count(settled.members.length, "process", "processes")}.`,
    fix: [`midflight show ${name}`, "correct the code, then: midflight deploy"],
  });
}

function leftAnswer(data: Answer["data"], name: string, tally: string, isTimeout: boolean): Answer {
  const facts = { state: `${name} is published and goes on; ${tally} confirmed it so far.`, fix: ["midflight status --watch", "midflight rollback"] };
  const error = isTimeout
    ? new MidflightError("SWAP_TIMED_OUT", { what: `--timeout ended before all processes confirmed ${name}.`, why: "it was shorter than they needed.", ...facts, retryable: true })
    : new MidflightError("COMMAND_INTERRUPTED", { what: `You left before all processes confirmed ${name}.`, why: "it was interrupted.", ...facts });
  return { data, lines: [], error, exit: isTimeout ? exits.stillRunning : exits.left, next: [{ command: "midflight status --watch", why: "see the rest of it" }] };
}
