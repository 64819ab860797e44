import type { Connection, Status } from "@midflight/control";
import type { Context, RunCommand } from "../cli/context.ts";
import type { Answer, Next } from "../output/answer.ts";
import { formatAge } from "../output/duration.ts";
import type { Pane, Tone } from "../output/pane.ts";
import { toJson } from "../output/print-answer.ts";
import { renderTable } from "../output/table.ts";
import { count, hanging } from "../output/text.ts";
import { figuresJson, renderFigures } from "../view/figures-view.ts";
import { memberCells, memberJson } from "../view/fleet-view.ts";
import { nameOf, releaseJson, subjectOf } from "../view/release-view.ts";
import { isOpenPhase, renderRollout, rolloutJson } from "../view/rollout-view.ts";
import { connected } from "./connected.ts";
import { watchAnswers } from "./watch-answers.ts";

const healthWords: Readonly<Record<Status["health"], { readonly word: string; readonly tone: Tone }>> = {
  rolling: { word: "rolling out", tone: "accent" },
  healthy: { word: "healthy", tone: "good" },
  drifted: { word: "DRIFTED", tone: "bad" },
  moving: { word: "moving", tone: "accent" },
  mixed: { word: "MIXED", tone: "bad" },
  down: { word: "nothing serves", tone: "bad" },
  empty: { word: "no process", tone: "warn" },
};

/** `midflight status [--watch]` */
export function status(options: Readonly<Record<string, unknown>>): RunCommand {
  return (context) =>
    connected(context, "reader", async (connection) => {
      const read = (): Promise<Answer> => readAnswer(context, connection);
      if (options["watch"] !== true) return read();
      await watchAnswers(context, read, (answer) => keyOf(answer, context.screen.isJson));
      return null;
    });
}

async function readAnswer({ screen }: Context, connection: Connection): Promise<Answer> {
  const { readStatus } = await import("@midflight/control");
  const found = await readStatus(connection);
  return { data: toData(found), lines: render(found, screen.out), next: nextOf(found) };
}

function toData(found: Status): Answer["data"] {
  return {
    app: found.app, channel: found.channel, health: found.health, since: found.since,
    rollout: rolloutJson(found.rollout),
    live: found.live === null ? null : releaseJson(found.live),
    services: found.services.map(({ service, members, confirmed, figures }) => ({
      service, confirmed, processes: members.length, measured: figures.map((one) => figuresJson(one, found.numbers)), members: members.map((member) => memberJson(member, found.numbers)),
    })),
  };
}

function render(found: Status, pane: Pane): string[] {
  const { word, tone } = healthWords[found.health];
  const live = found.live;
  const head = `${pane.paint("strong", found.app)} · ${found.channel} · `;
  if (live === null) return [`${head}no release yet`];
  const since = found.since === null ? "" : ` for ${formatAge(found.since, Date.now())}`;
  const columns = [{ title: "PROCESS" }, { title: "RELEASE" }, { title: "STANDS" }, { title: "PID", align: "right" }, { title: "UP", align: "right" }, { title: "NOTE" }] as const;
  const isRolling = found.rollout !== null && isOpenPhase(found.rollout.phase);
  const members = found.services.flatMap((service) => service.members);
  return [
    ...hanging("", 0, `${head}${nameOf(live.release, live.id)} live${since} · ${pane.paint(tone, word)}`, pane.width),
    ...hanging("", 2, subjectOf(live.release.provenance), pane.width).filter((line) => line.trim() !== ""),
    ...(found.rollout === null ? [] : renderRollout(found.rollout, pane, Date.now())),
    ...found.services.flatMap(({ service, members: own, confirmed }) => hanging("", 2, `${service}  ${confirmed} of ${count(own.length, "process", "processes")} on ${isRolling ? "what they were assigned" : `r${live.number}`}, by digest`, pane.width)),
    ...renderTable(columns, members.map((member) => memberCells(member, found.numbers, pane)), pane.width),
    ...renderFigures("SERVICE", found.services.flatMap(({ service, figures }) => figures.map((one) => ({ of: service, figures: one }))), found.numbers, pane),
  ];
}

function nextOf(found: Status): Next[] {
  if (found.rollout !== null && isOpenPhase(found.rollout.phase)) return [{ command: "midflight promote", why: "let the next wave follow now" }, { command: "midflight pause", why: "let none follow" }, { command: "midflight abort", why: "take it back" }];
  if (found.health === "mixed") return [{ command: "midflight rollback", why: "bring all processes back to one release" }];
  if (found.health === "drifted") return [{ command: "midflight ps", why: "what was changed, and in which process" }];
  if (found.health === "down") return [{ command: "midflight ps", why: "why no process runs" }];
  return [{ command: "midflight deploy", why: "bring the code live" }];
}

/** Time passes without anything happening; that is no change. Nor are new figures, to people who get a block of lines for each. */
function keyOf(answer: Answer, isJson: boolean): string {
  const json = toJson({ ...answer, lines: [] });
  return isJson ? JSON.stringify(json) : JSON.stringify(json, (key, value: unknown) => (key === "measured" || key === "verdict" ? undefined : value));
}
