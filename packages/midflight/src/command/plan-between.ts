import fs from "node:fs";
import path from "node:path";
import type { ResolvedConfig } from "@midflight/control";
import { exceedsRung, type Rung } from "@midflight/protocol";
import type { CollectedTree, ScopeOptions, TreePlan } from "@midflight/publisher";
import { type Context, type RunCommand, usage } from "../cli/context.ts";
import { findConfig } from "../config/find-config.ts";
import { exits } from "../output/exit-code.ts";
import { renderTreePlan } from "../view/plan-view.ts";
import { progressOf } from "./progress.ts";

/** `midflight plan --from DIR --to DIR`: the verdict on two directories, with nothing running. */
export function planBetweenDirectories(options: Readonly<Record<string, unknown>>): RunCommand {
  return async (context) => {
    const [from, to] = directoriesOf(options, context);
    if (options["output"] !== undefined) throw usage("--output saves a plan for a deploy; --from and --to plan none.", "midflight plan --from DIR --to DIR --json > FILE");
    const { createAgentless, planBetween } = await import("@midflight/publisher");
    const config = await configOf(to, options, context);
    const progress = progressOf(context);
    progress.show("Reading and planning");
    try {
      const [before, after] = await collectBoth(from, to, config);
      const plan = planBetween(before, after, createAgentless(config?.services.filter(({ agent }) => !agent) ?? []));
      const maxRung = (options["maxRung"] as Rung | undefined) ?? config?.rollout.maxRung ?? "reload";
      const told = (directory: string): string => path.relative(context.directory, directory) || ".";
      return {
        data: { from: { directory: from, tree: before.root }, to: { directory: to, tree: after.root }, ...treePlanJson(plan, maxRung) },
        lines: renderTreePlan(plan, [told(from), told(to)], maxRung, context.screen.out),
        exit: options["exitCode"] === true && !plan.isUnchanged ? exits.changes : exits.done,
        next: plan.rung === "replace" ? [{ command: "midflight explain REPLACE_NEEDED", why: "what replacing means" }] : [],
      };
    } finally {
      progress.end();
    }
  };
}

function directoriesOf({ from, to }: Readonly<Record<string, unknown>>, { directory }: Context): readonly [string, string] {
  if (typeof from !== "string") throw usage("--to says where a plan leads, and needs --from.", "midflight plan --from DIR --to DIR");
  const both = [path.resolve(directory, from), path.resolve(directory, typeof to === "string" ? to : ".")] as const;
  for (const one of both) if (!fs.statSync(one, { throwIfNoEntry: false })?.isDirectory()) throw usage(`There is no directory ${one}.`, "midflight plan --from DIR --to DIR");
  return both;
}

/** What is code is for the directory itself to say, or for `--config`; a configuration above it speaks of another project. */
async function configOf(to: string, { config }: Readonly<Record<string, unknown>>, context: Context): Promise<ResolvedConfig | null> {
  if (config === undefined && findConfig(to)?.projectDir !== to) return null;
  return context.loadConfig(undefined, to);
}

/** Nothing is written here while we look, and nothing is taken live: both are read as they are. */
async function collectBoth(from: string, to: string, config: ResolvedConfig | null): Promise<readonly [CollectedTree, CollectedTree]> {
  const { createAnalyses, createCollector, readFolder } = await import("@midflight/publisher");
  const { scopeOf } = await import("@midflight/control/config");
  const scope: ScopeOptions = config === null ? { code: ["."] } : scopeOf(config);
  const commands = config === null ? [] : config.services.map(({ name, run }) => ({ service: name, run }));
  const analyses = createAnalyses();
  const collect = async (projectDir: string): Promise<CollectedTree> => createCollector({ commands, analyses }).collect(await readFolder({ ...scope, projectDir, isFinished: true }));
  return [await collect(from), await collect(to)];
}

function treePlanJson({ isUnchanged, rung, verdicts }: TreePlan, maxRung: Rung): Readonly<Record<string, unknown>> {
  return { unchanged: isUnchanged, rung: isUnchanged ? null : rung, maxRung, allowed: isUnchanged || !exceedsRung(rung, maxRung), verdicts };
}
