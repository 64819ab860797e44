export { type AgentSignal } from "./signal.ts";
export { run } from "./run.ts";
