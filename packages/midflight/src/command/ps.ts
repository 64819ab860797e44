import type { RunCommand } from "../cli/context.ts";
import { formatAge } from "../output/duration.ts";
import { renderTable } from "../output/table.ts";
import { hanging } from "../output/text.ts";
import { connected } from "./connected.ts";
import { driftLines, releaseName } from "../view/fleet-view.ts";
import { measuredJson, renderFigures } from "../view/figures-view.ts";
import { isOpenPhase, renderRollout, rolloutJson } from "../view/rollout-view.ts";

const columns = [
  { title: "PROCESS" }, { title: "PID", align: "right" }, { title: "UP", align: "right" }, { title: "STATE" }, { title: "RELEASE" },
  { title: "BOOTED" }, { title: "SWAPS", align: "right" }, { title: "RUNTIME" },
] as const;

/** `midflight ps`: every process, thread and child that speaks now, and those that should. */
export function ps(): RunCommand {
  return (context) =>
    connected(context, "reader", async (connection) => {
      const { figuresOf, readHistory, readPresence, readStatus } = await import("@midflight/control");
      const history = await readHistory(connection);
      const [beats, status] = await Promise.all([readPresence(connection), readStatus(connection, history)]);
      const absent = status.services.flatMap((service) => service.members.filter((member) => member.beat === null));
      const drifted = beats.filter((beat) => beat.drift !== undefined);
      const pane = context.screen.out;
      const now = Date.now();
      const rows = [
        ...beats.map((beat) => [
          beat.target, String(beat.pid), formatAge(beat.startedAt, now), beat.state, releaseName(beat.live, status.numbers),
          releaseName(beat.boot, status.numbers), String(beat.generation), beat.runtime,
        ]),
        ...absent.map((member) => [member.target, "–", "–", member.record?.phase ?? "absent", "–", "–", "–", member.because ?? ""]),
      ];
      return {
        data: {
          processes: beats.map((beat) => ({
            ...beat, live: releaseName(beat.live, status.numbers), boot: releaseName(beat.boot, status.numbers), liveDigest: beat.live, bootDigest: beat.boot,
            measured: measuredJson(figuresOf([beat])[0], beat.measured, status.numbers),
          })),
          rollout: rolloutJson(status.rollout),
          absent: absent.map(({ target, service, because }) => ({ target, service, because })),
        },
        lines: [
          ...(status.rollout !== null && isOpenPhase(status.rollout.phase) ? renderRollout(status.rollout, pane, now) : []),
          ...(rows.length === 0 ? ["No process runs."] : renderTable(columns, rows, pane.width)),
          ...renderFigures("PROCESS", beats.flatMap((beat) => figuresOf([beat]).map((figures) => ({ of: beat.target, figures }))), status.numbers, pane),
          ...drifted.flatMap((beat) => [...hanging("", 0, `${beat.target} (${beat.pid}) does not run what it was given: somebody else changed`, pane.width), ...driftLines(beat.drift, "  ", pane)]),
          ...(drifted.length > 0 ? hanging("", 0, "A process that is started anew runs the release again.", pane.width) : []),
        ],
        next: [{ command: "midflight status", why: "whether all of them run the live release" }],
      };
    });
}
