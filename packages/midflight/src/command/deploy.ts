import fs from "node:fs";
import path from "node:path";
import type { Connection } from "@midflight/control";
import { MidflightError, type Rung } from "@midflight/protocol";
import type { PublishOutcome } from "@midflight/publisher";
import type { Context, RunCommand } from "../cli/context.ts";
import type { Answer } from "../output/answer.ts";
import { describeLive, planJson, renderPlan } from "../view/plan-view.ts";
import { renderSteps } from "../view/rollout-view.ts";
import { exits } from "../output/exit-code.ts";
import { confirm } from "./ask.ts";
import { connected } from "./connected.ts";
import { deployRelease } from "./deploy-release.ts";
import { followRollout } from "./follow-rollout.ts";
import { progressOf } from "./progress.ts";
import { awaitChannel } from "./steer.ts";
import { serves } from "./serves.ts";

/** `midflight deploy`, `midflight deploy plan.json`, `midflight deploy r12` */
export function deploy(what: string | undefined, options: Readonly<Record<string, unknown>>): RunCommand {
  return (context) =>
    connected(context, "publisher", async (connection) => {
      if (what === undefined) return deployCode(context, connection, options, null);
      const file = path.resolve(context.directory, what);
      if (what.endsWith(".json") || (what.includes("/") && fs.existsSync(file))) return deployCode(context, connection, options, file);
      return deployRelease(context, connection, what, options);
    });
}

async function deployCode(context: Context, connection: Connection, options: Readonly<Record<string, unknown>>, planFile: string | null): Promise<Answer> {
  const { isDevelopment, parseSavedPlan, prepareDeploy, readRestarts, toRefusal, wavesOf, whyStale } = await import("@midflight/control");
  const { config } = connection;
  const { screen } = context;
  const startedAt = performance.now();
  const lockWait = options["lockWait"] as number | undefined;
  const saved = planFile === null ? null : parseSavedPlan(readText(planFile), path.relative(context.directory, planFile));
  const maxRung = saved?.maxRung ?? (options["maxRung"] as Rung | undefined) ?? config.rollout.maxRung;
  const progress = progressOf(context);
  try {
    await awaitChannel(context, connection, lockWait, (text) => progress.show(text));
    progress.show("Reading and planning");
    const { plan, publisher } = await prepareDeploy(connection);
    progress.show("");
    const stale = saved === null ? null : whyStale(saved, plan, config);
    if (stale !== null) throw new MidflightError("PLAN_STALE", { what: "The saved plan does not hold any more.", why: `${stale}.`, state: `nothing was done; ${serves(plan.live?.number)}`, fix: [`midflight plan -o ${path.relative(context.directory, planFile!)}`] });
    const restarts = readRestarts(connection);
    if (!screen.isJson) screen.out.print(...renderPlan(plan, await describeLive(connection, plan), maxRung, restarts, screen.out), ...(plan.isUnchanged ? [] : renderSteps(config, screen.out)));
    const data = { plan: planJson(plan, maxRung, restarts) };
    if (plan.isUnchanged) return { data: { ...data, outcome: "unchanged", release: `r${plan.live!.number}` }, lines: [], next: [{ command: "midflight status", why: "what runs where" }] };
    // A saved plan was looked at already.
    const isAgreed = saved !== null || isDevelopment(config) || data.plan["allowed"] === false;
    if (!isAgreed && !(await confirm(context, `Deploy to ${config.channel}?`, options["yes"] === true, false))) {
      return { data: { ...data, outcome: "declined" }, lines: ["Nothing was done."], exit: exits.usage };
    }
    progress.show("Publishing");
    const outcome: PublishOutcome = await publisher.publish(plan, { maxRung, ...wavesOf(config), meta: (options["meta"] ?? {}) as Record<string, string>, expect: { head: plan.head, tree: plan.tree.root } });
    progress.show("");
    const leftSeconds = (lockWait ?? 0) - (performance.now() - startedAt) / 1000;
    // Of two that waited for the same rollout, the other one was first.
    if (outcome.kind === "refused" && outcome.code === "ROLLOUT_IN_PROGRESS" && leftSeconds > 0) return await deployCode(context, connection, { ...options, yes: true, lockWait: leftSeconds }, planFile);
    if (outcome.kind === "refused") return { data: { ...data, outcome: "refused" }, lines: [], error: toRefusal(outcome, maxRung, serves(plan.live?.number)) };
    if (outcome.kind === "unchanged") return { data: { ...data, outcome: "unchanged", release: `r${outcome.number}` }, lines: ["Nothing changed."] };
    return await followRollout({ context, connection, publisher, progress, outcome, startedAt, verb: "deploy", cameFrom: plan.live?.number, timeoutSeconds: options["timeout"] as number | undefined, data });
  } finally {
    progress.end();
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new MidflightError("FILE_UNREADABLE", { what: `${file} cannot be read.`, why: (error as Error).message, state: "nothing was done.", fix: [`midflight plan -o ${file}`] }, { cause: error });
  }
}
