import type { Connection, Restart, Restarts } from "@midflight/control";
import { exceedsRung, type Release, type ReleaseId, type Rung } from "@midflight/protocol";
import type { ReleasePlan, TreePlan } from "@midflight/publisher";
import { verifyRelease } from "@midflight/trust";
import type { Pane } from "../output/pane.ts";
import { count, hanging, wrap } from "../output/text.ts";
import { nameOf } from "./release-view.ts";
import { countRungs, paintRung, renderVerdicts } from "./verdict-view.ts";

/** What is live, as a person knows it. */
export async function describeLive({ registry, secrets }: Connection, plan: ReleasePlan): Promise<string> {
  if (plan.live === null) return "nothing";
  const release = await readRelease(registry, plan.live.release, secrets);
  return release === null ? `r${plan.live.number}` : nameOf(release, plan.live.release);
}

async function readRelease(registry: Connection["registry"], id: ReleaseId, secrets: Connection["secrets"]): Promise<Release | null> {
  const entry = await registry.entry(id);
  return entry === null ? null : verifyRelease(entry.envelope, secrets.root).release;
}

/** Each changed unit with its rung and reason, then what that means for what runs. */
export function renderPlan(plan: ReleasePlan, live: string, maxRung: Rung, restarts: Restarts, pane: Pane): string[] {
  if (plan.isUnchanged) return [`${pane.paint("strong", "Plan")}  ${live} → the same. Nothing changed; a deploy would do nothing.`];
  const agents = plan.routes.reduce((sum, route) => sum + route.agents, 0);
  const replaced = plan.routes.filter((route) => route.rung === "replace").reduce((sum, route) => sum + route.agents, 0);
  const isTooMuch = exceedsRung(plan.rung, maxRung);
  return [
    `${pane.paint("strong", "Plan")}  ${live} → the code as it is now`,
    ...renderVerdicts(plan.verdicts, pane, "  "),
    `  ${countRungs(plan.verdicts, pane)} · ${count(agents, "process", "processes")} running · ${replaced} replaced`,
    ...(replaced > 0 && !isTooMuch ? [...renderHandOver(restarts, pane), ...restarts.restarts.flatMap((restart) => renderRestart(restart, pane))] : []),
    ...(isTooMuch ? hanging("  !", 4, `It needs ${paintRung(pane, plan.rung)}, the limit is ${maxRung}: a deploy is refused, unless with --max-rung ${plan.rung}.`, pane.width) : []),
  ];
}

function renderHandOver({ processes, restarts }: Restarts, pane: Pane): string[] {
  if (restarts.length >= processes) return [];
  return hanging("  !", 4, `A new process takes over from each that is replaced${restarts.length > 0 ? ", but for those below" : ""}: no request fails, but what it holds in memory is lost.`, pane.width);
}

function renderRestart({ target, because }: Restart, pane: Pane): string[] {
  return hanging("  !", 4, `${target} is ended before the next one starts, its connections are closed, and requests fail meanwhile: ${because}.`, pane.width);
}

/** The same for two directories, which run nowhere. */
export function renderTreePlan(plan: TreePlan, [from, to]: readonly [string, string], maxRung: Rung, pane: Pane): string[] {
  const title = pane.paint("strong", "Plan");
  if (plan.isUnchanged) return wrap(`${title}  ${from} → ${to}: the same.`, pane.width);
  return [
    ...wrap(`${title}  ${from} → ${to}`, pane.width),
    ...renderVerdicts(plan.verdicts, pane, "  "),
    `  ${countRungs(plan.verdicts, pane)}`,
    ...(exceedsRung(plan.rung, maxRung) ? hanging("  !", 4, `It needs ${paintRung(pane, plan.rung)}, the limit is ${maxRung}.`, pane.width) : []),
  ];
}

export function planJson(plan: ReleasePlan, maxRung: Rung, { restarts }: Restarts): Readonly<Record<string, unknown>> {
  return {
    unchanged: plan.isUnchanged,
    live: plan.live === null ? null : { release: `r${plan.live.number}`, digest: plan.live.release },
    tree: plan.tree.root,
    rung: plan.isUnchanged ? null : plan.rung,
    maxRung,
    allowed: plan.isUnchanged || !exceedsRung(plan.rung, maxRung),
    verdicts: plan.verdicts,
    restarts: !plan.isUnchanged && plan.rung === "replace" ? restarts : [],
    routes: plan.routes.map(({ from, rung, agents }) => ({ from, rung, agents })),
  };
}
