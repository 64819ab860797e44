import type { Bench } from "./bench.ts";
import { firstSwap } from "./first-swap/first-swap.ts";
import { generations } from "./generations/generations.ts";
import { kill } from "./kill/kill.ts";
import { live } from "./live/live.ts";
import { liveCoverage } from "./live-coverage/live-coverage.ts";
import { overhead } from "./overhead/overhead.ts";
import { pause } from "./pause/pause.ts";
import { plan } from "./plan/plan.ts";
import { planner } from "./planner/planner.ts";
import { rolling } from "./rolling/rolling.ts";
import { router } from "./router/router.ts";
import { saveToLive } from "./save-to-live/save-to-live.ts";
import { start } from "./start/start.ts";
import { verdicts } from "./verdicts/verdicts.ts";

/** Every bench, in the order in which they are listed. */
export const benches: readonly Bench[] = [saveToLive, pause, overhead, live, rolling, router, generations, kill, start, planner, plan, verdicts, liveCoverage, firstSwap];
