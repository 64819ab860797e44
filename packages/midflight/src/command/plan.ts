import fs from "node:fs";
import path from "node:path";
import { exceedsRung, type Rung } from "@midflight/protocol";
import { type RunCommand, usage } from "../cli/context.ts";
import { exits } from "../output/exit-code.ts";
import { planJson, renderPlan } from "../view/plan-view.ts";
import { renderSteps } from "../view/rollout-view.ts";
import { connected } from "./connected.ts";
import { progressOf } from "./progress.ts";

/** `midflight plan`, `midflight deploy --dry-run` */
export function plan(options: Readonly<Record<string, unknown>>): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      const { prepareDeploy, readRestarts, savePlan } = await import("@midflight/control");
      const { describeLive } = await import("../view/plan-view.ts");
      const { config } = connection;
      const maxRung = (options["maxRung"] as Rung | undefined) ?? config.rollout.maxRung;
      const progress = progressOf(context);
      progress.show("Reading and planning");
      try {
        const prepared = await prepareDeploy(connection);
        const live = await describeLive(connection, prepared.plan);
        const output = options["output"] as string | undefined;
        if (output !== undefined) save(path.resolve(context.directory, output), savePlan(prepared.plan, config, maxRung));
        const restarts = readRestarts(connection);
        const data = planJson(prepared.plan, maxRung, restarts);
        const raised = options["maxRung"] === undefined || !exceedsRung(prepared.plan.rung, config.rollout.maxRung) ? "" : ` --max-rung ${prepared.plan.rung}`;
        const isReady = data["allowed"] === true && !prepared.plan.isUnchanged;
        return {
          data: { ...data, saved: output ?? null },
          lines: [...renderPlan(prepared.plan, live, maxRung, restarts, context.screen.out), ...(isReady ? renderSteps(config, context.screen.out) : [])],
          exit: options["exitCode"] === true && !prepared.plan.isUnchanged ? exits.changes : exits.done,
          next: [
            ...(isReady ? [{ command: `midflight deploy${output === undefined ? raised : ` ${output}`}`, why: output === undefined ? "do it" : "do exactly this" }] : []),
            ...(data["allowed"] === false ? [{ command: `midflight deploy --max-rung ${prepared.plan.rung}`, why: "do it all the same" }] : []),
          ],
        };
      } finally {
        progress.end();
      }
    });
}

function save(file: string, plan: unknown): void {
  try {
    fs.writeFileSync(file, `${JSON.stringify(plan, null, 2)}\n`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EROFS"].includes(code)) throw error;
    throw usage(`The plan cannot be saved: ${message}.`, "midflight plan --output FILE");
  }
}
