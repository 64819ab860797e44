export { type AgentSignal } from "./signal.ts";
