import { type RunCommand, usage } from "../cli/context.ts";
import { MidflightError } from "@midflight/protocol";
import { releaseJson } from "../view/release-view.ts";
import { exits } from "../output/exit-code.ts";
import { confirm } from "./ask.ts";
import { connected } from "./connected.ts";
import { renderWay } from "./deploy-release.ts";
import { serves } from "./serves.ts";
import { followRollout } from "./follow-rollout.ts";
import { progressOf } from "./progress.ts";

/** `midflight rollback [r11]`: to the release before, if none is named. Never harder than the deploy was. */
export function rollback(given: string | undefined, options: Readonly<Record<string, unknown>>): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      const { findRelease, isDevelopment, openAssigner, readHistory, requirePackages, takeBackSeen, toRefusal } = await import("@midflight/control");
      const startedAt = performance.now();
      const to = options["to"];
      if (given !== undefined && typeof to === "string" && to !== given) throw usage(`Two releases are named, ${given} and ${to}.`, "name one");
      const name = given ?? (typeof to === "string" ? to : undefined);
      const history = await readHistory(connection);
      const id = name === undefined ? history.head?.revertTo[0] : findRelease(history, name).id;
      const target = history.releases.find((record) => record.id === id);
      if (target === undefined) {
        throw new MidflightError("ROLLBACK_NOTHING", {
          what: "There is no release to go back to.",
          why: history.head === null ? "nothing was deployed yet." : `r${history.head.number} is the first release, or those before are no longer kept.`,
          state: `nothing was done; ${serves(history.head?.number)}`,
          fix: ["correct the code, then: midflight deploy"],
        });
      }
      await requirePackages({ ...connection, root: connection.secrets.root, projectDir: connection.config.projectDir }, target.id, target.number);
      const { screen } = context;
      if (!screen.isJson) screen.out.print(...renderWay(history, target, "Roll back", screen.out));
      const data = { to: releaseJson(target) };
      if (!isDevelopment(connection.config) && !(await confirm(context, `Roll back to r${target.number}?`, options["yes"] === true, true))) {
        return { data: { ...data, outcome: "declined" }, lines: ["Nothing was done."], exit: exits.usage };
      }
      const progress = progressOf(context);
      try {
        progress.show("Publishing");
        const publisher = openAssigner(connection);
        const outcome = await takeBackSeen(connection, publisher, history.head!.release, { to: target.id });
        progress.show("");
        if (outcome.kind === "refused") return { data: { ...data, outcome: "refused" }, lines: [], error: toRefusal(outcome, "replace", serves(history.head?.number)) };
        if (outcome.kind === "unchanged") return { data: { ...data, outcome: "unchanged", release: `r${outcome.number}` }, lines: [`r${outcome.number} is live already.`] };
        return await followRollout({ context, connection, publisher, progress, outcome, startedAt, verb: "rollback", cameFrom: history.head?.number, timeoutSeconds: options["timeout"] as number | undefined, data });
      } finally {
        progress.end();
      }
    });
}
