import { MidflightError, requestPolicies, type RequestPolicy } from "@midflight/protocol";

/** What an agent is told by its process's environment; read once, at the door. */
export interface AgentConfig {
  readonly registryUrl: string;
  readonly token: string;
  /** `app/channel`. */
  readonly channel: string;
  readonly service: string;
  /** Name of the process that was configured. Threads and children of it get names of their own, see `createIdentity`. */
  readonly target: string;
  /** File of the trust root. */
  readonly rootFile: string;
  /** Directory of the counter floor, the last live transition and the blob cache. */
  readonly stateDirectory: string;
  /** How long the app's load may wait for the registry, in ms. Default: 3,000. */
  readonly bootWaitMs: number;
  /** How long after a swap errors take it back, in ms. Default: 5,000. */
  readonly probationMs: number;
  /** What a swap means to requests under way, whatever assigns say. Default: what they say. */
  readonly requests: Partial<Pick<RequestPolicy, "kind" | "pinMs">>;
  /** False in a child that inherited the environment of a configured process. */
  readonly isOwner: boolean;
}

type Environment = Record<string, string | undefined>;

const ownerVariable = "MIDFLIGHT_OWNER_PID";

/** Null if nothing is configured: the agent then does nothing at all. @throws MidflightError `AGENT_NOT_CONFIGURED` */
export function readConfig(env: Environment, pid: number): AgentConfig | null {
  if (!env["MIDFLIGHT_REGISTRY"]) return null;
  const channel = readText(env, "MIDFLIGHT_CHANNEL");
  if (!/^[^/\s]+\/[^\s]+$/.test(channel)) throw unusable("MIDFLIGHT_CHANNEL", "is not of the form app/channel");
  return {
    registryUrl: readText(env, "MIDFLIGHT_REGISTRY"),
    token: readText(env, "MIDFLIGHT_TOKEN"),
    channel,
    service: readText(env, "MIDFLIGHT_SERVICE"),
    target: readText(env, "MIDFLIGHT_TARGET"),
    rootFile: readText(env, "MIDFLIGHT_ROOT"),
    stateDirectory: readText(env, "MIDFLIGHT_STATE"),
    bootWaitMs: readDuration(env, "MIDFLIGHT_BOOT_WAIT_MS", 3000),
    probationMs: readDuration(env, "MIDFLIGHT_PROBATION_MS", 5000),
    requests: readRequests(env),
    isOwner: (env[ownerVariable] ?? String(pid)) === String(pid),
  };
}

/** The process's own configuration. Marks the environment, so that children know that they are children. */
export function readProcessConfig(): AgentConfig | null {
  const config = readConfig(process.env, process.pid);
  if (config?.isOwner === true) process.env[ownerVariable] = String(process.pid);
  return config;
}

function readText(env: Environment, name: string): string {
  const text = env[name];
  if (text === undefined || text === "") throw unusable(name, "is missing");
  return text;
}

function readRequests(env: Environment): AgentConfig["requests"] {
  const text = env["MIDFLIGHT_POLICY"] ?? "";
  const kind = requestPolicies.find((one) => one === text);
  if (text !== "" && kind === undefined) throw unusable("MIDFLIGHT_POLICY", `is not one of ${requestPolicies.join(", ")}`);
  const hasBound = (env["MIDFLIGHT_PIN_MS"] ?? "") !== "";
  return { ...(kind !== undefined && { kind }), ...(hasBound && { pinMs: readDuration(env, "MIDFLIGHT_PIN_MS", 0) }) };
}

function readDuration(env: Environment, name: string, fallbackMs: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallbackMs;
  const ms = Number(text);
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > 3_600_000) throw unusable(name, "is not a whole number of milliseconds up to an hour");
  return ms;
}

function unusable(name: string, problem: string): MidflightError {
  return new MidflightError("AGENT_NOT_CONFIGURED", {
    what: `The environment variable ${name} ${problem}.`,
    state: "The app runs on the code it has on disk, without an agent.",
    details: { variable: name },
  });
}
