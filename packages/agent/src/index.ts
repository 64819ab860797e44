export { migrate, type Hot, type HotData, type Migration } from "./hot.ts";
export { type AgentSignal } from "./signal.ts";
export { run } from "./run.ts";
