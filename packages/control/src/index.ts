export {
  codeOf, isDevelopment, nearest, parseConfig, targetsOf,
  type Config, type ConfigOrigin, type KeyPlace, type Override, type ParseOptions, type ResolvedConfig, type ResolvedService, type ServiceConfig,
} from "./config.ts";
export { type ControlEvent, type Listen } from "./event.ts";
export { requirePackages } from "./find-packages.ts";
export { awaitRollout, type RolloutOptions, type RolloutResult } from "./operation/await-rollout.ts";
export { buildRelease, type BuildOptions, type BuiltRelease } from "./operation/build-release.ts";
export { type Gate, type GateFinding, type GateQuestion, type GateVerdict } from "./gates/gate.ts";
export { openGates, type Gates, type GatesOptions } from "./gates/open-gates.ts";
export { connectControl, type Connection } from "./operation/connect.ts";
export { figuresOf, type Figures } from "./operation/figures.ts";
export { expectedTargets, judgeFleet, readFleet, type FleetInput, type Member, type Standing } from "./operation/fleet.ts";
export { findRelease, readHistory, type History, type ReleaseRecord } from "./operation/history.ts";
export { readRestarts, type Restart, type Restarts } from "./operation/restarts.ts";
export { readFiles } from "./operation/read-files.ts";
export { readPresence, readStatus, type ServiceStatus, type Status } from "./operation/status.ts";
export { readRunningControl, type ControlFile } from "./project/control-file.ts";
export { layoutOf, type Layout } from "./project/layout.ts";
export { makeSecrets, readSecrets, type Secrets, type Tokens } from "./project/secrets.ts";
export { readLive, type LiveAssign } from "./live-release.ts";
export { openAssigner, prepareDeploy, type Prepared } from "./operation/prepare.ts";
export { parseSavedPlan, savePlan, whyStale, type SavedPlan } from "./operation/saved-plan.ts";
export { settleRollout, type Rollout, type Settled, type SettleOptions } from "./operation/settle-rollout.ts";
export { toRefusal } from "./refusal.ts";
export { readRollout } from "./rollout/record.ts";
export { settleWaves, type FollowedWaves, type SettleWavesOptions } from "./rollout/settle-waves.ts";
export { isOpen, type Phase, type RolloutState } from "./rollout/state.ts";
export { awaitUnlocked, readOpenRollout, requireOpenRollout, steerRollout, type OpenRollout } from "./rollout/steer.ts";
export { takeBackSeen } from "./rollout/take-back.ts";
export { wavesOf } from "./rollout/waves-of.ts";
export { startControl, type Control, type StartOptions } from "./start-control.ts";
export { besideName, createDurably, type ProcessPhase, type ProcessRecord } from "@midflight/supervisor";
