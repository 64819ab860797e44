import net from "node:net";
import path from "node:path";
import { defaultRequestPolicy, isSafePath, isWaveStep, maxBakeMs, maxBoundMs, maxWaves, requestPolicies, rungs, stragglers, type Rung } from "@midflight/protocol";
import { checkDuration, checkName, checkNumber, checkText, checkTexts, ConfigReader, toMs, type Override } from "./config-reader.ts";
import { parseGates } from "./parse-gates.ts";
import type { KeyPlace, ResolvedConfig, ResolvedService } from "./resolved-config.ts";

export interface ParseOptions {
  /** Absolute; paths in the configuration count from here. */
  readonly projectDir: string;
  /** What the configuration was read from, for messages: "midflight.config.ts". */
  readonly file: string;
  /** `name` of package.json, without its scope; null if there is none. */
  readonly packageName: string | null;
  /** Values of flags and variables, by key path. */
  readonly overrides?: ReadonlyMap<string, Override>;
}

const topKeys = ["app", "channel", "registry", "port", "services", "assets", "publish", "requests", "rollout", "signing"];
const serviceKeys = ["run", "code", "processes", "health", "env", "agent", "listen", "listenBy", "drain", "readyTimeoutMs", "stopTimeoutMs", "drainTimeoutMs", "replace"];

/**
 * Decides every value: flag, then variable, then file, then default. The result is frozen and the only thing
 * that the rest of the program sees.
 * @throws MidflightError `CONFIG_INVALID` naming the key
 */
export function parseConfig(value: unknown, options: ParseOptions): ResolvedConfig {
  const { projectDir } = options;
  const reader = new ConfigReader(options.file, options.overrides ?? new Map());
  const top = reader.record(value, "config", topKeys);
  if (top["app"] === undefined && options.packageName === null) {
    reader.fail("app", "is missing, and there is no package.json with a name", `add app: "…" to ${options.file}`);
  }
  const app = reader.value(top, "app", options.packageName ?? "", checkName);
  if (top["app"] === undefined) reader.note("app", app, "package.json");
  const channel = reader.value(top, "channel", "development", checkName);
  const registry = reader.value(top, "registry", "sqlite:.midflight/registry.db", checkRegistry);
  const port = reader.value<number | null>(top, "port", null, checkNumber(1, 65_535));
  const services = parseServices(reader, top["services"]);
  const assets = reader.value<readonly string[]>(top, "assets", [], checkTexts);
  const publish = reader.record(top["publish"] ?? {}, "publish", ["marker", "quietMs"]);
  const requests = reader.record(top["requests"] ?? {}, "requests", ["policy", "pinMs", "holdMs", "maxHeld", "straggler"]);
  const rollout = reader.record(top["rollout"] ?? {}, "rollout", ["maxRung", "steps", "bake", "deadline", "gates"]);
  const signing = reader.record(top["signing"] ?? {}, "signing", ["key"]);
  return deepFreeze({
    app,
    channel,
    channelName: `${app}/${channel}`,
    registryPath: path.resolve(projectDir, registry.slice("sqlite:".length)),
    port,
    services,
    assets,
    publish: {
      marker: reader.value<string | null>(publish, "publish.marker", null, checkText),
      quietMs: reader.value(publish, "publish.quietMs", 75, checkNumber(5, 60_000)),
    },
    requests: {
      kind: reader.value(requests, "requests.policy", defaultRequestPolicy.kind, checkOneOf(requestPolicies)),
      pinMs: reader.value(requests, "requests.pinMs", defaultRequestPolicy.pinMs, checkNumber(1, maxBoundMs)),
      holdMs: reader.value(requests, "requests.holdMs", defaultRequestPolicy.holdMs, checkNumber(1, 60_000)),
      maxHeld: reader.value(requests, "requests.maxHeld", defaultRequestPolicy.maxHeld, checkNumber(1, 100_000)),
      straggler: reader.value(requests, "requests.straggler", defaultRequestPolicy.straggler, checkOneOf(stragglers)),
    },
    rollout: {
      maxRung: reader.value<Rung>(rollout, "rollout.maxRung", "reload", checkOneOf(rungs)),
      steps: reader.value<readonly string[]>(rollout, "rollout.steps", [], checkSteps),
      bakeMs: toMs(reader.value(rollout, "rollout.bake", "60s", checkDuration(0, maxBakeMs))),
      deadlineMs: toMs(reader.value(rollout, "rollout.deadline", "2m", checkDuration(1_000, 86_400_000))),
      gates: parseGates(reader, rollout["gates"], services.map(({ name }) => name)),
    },
    signing: { key: parseKeyPlace(reader.value(signing, "signing.key", "file:.midflight/keys/development.key", checkKey), projectDir) },
    projectDir,
    origins: reader.origins,
  });
}

function parseServices(reader: ConfigReader, value: unknown): ResolvedService[] {
  if (value === undefined) reader.fail("services", "is missing", "name at least one service with run and code");
  if (typeof value !== "object" || value === null || Array.isArray(value)) reader.fail("services", "is not an object");
  const services = Object.entries(value).map(([name, one]) => parseService(reader, name, one));
  if (services.length === 0) reader.fail("services", "is empty", "name at least one service with run and code");
  return services;
}

function parseService(reader: ConfigReader, name: string, value: unknown): ResolvedService {
  const at = `services.${name}`;
  const badName = checkName(name);
  if (badName !== null) reader.fail(at, badName);
  const record = reader.record(value, at, serviceKeys);
  for (const key of ["run", "code"]) if (record[key] === undefined) reader.fail(`${at}.${key}`, "is missing");
  const code = reader.value<string | readonly string[]>(record, `${at}.code`, [], checkCode);
  const env = reader.value<Record<string, string>>(record, `${at}.env`, {}, checkEnv);
  // Values of variables may be secrets; their names are enough to explain.
  reader.note(`${at}.env`, Object.keys(env), reader.origins.get(`${at}.env`)!.from);
  const run = reader.value(record, `${at}.run`, "", checkText);
  const agent = reader.value(record, `${at}.agent`, true, checkBoolean);
  const listen = reader.value<readonly (number | string)[]>(record, `${at}.listen`, [], checkListen).map(toSocket);
  const listenBy = reader.value<ResolvedService["listenBy"]>(record, `${at}.listenBy`, "listen-fds", checkOneOf(["listen-fds", "stdin"]));
  const drain = reader.value<string | null>(record, `${at}.drain`, null, checkPath);
  const health = reader.value<string | null>(record, `${at}.health`, null, checkHealth);
  if (!agent && health === null) reader.fail(`${at}.health`, "is missing: a process without an agent is ready when its health path answers");
  if (agent && drain !== null) reader.fail(`${at}.drain`, "is for processes without an agent; the agent drains by itself");
  if (listenBy === "stdin" && (agent || listen.length !== 1)) reader.fail(`${at}.listenBy`, "is stdin, which is for agent: false and one socket in listen");
  if (drain !== null && listen.length === 0) reader.fail(`${at}.drain`, "needs listen: it is asked on a socket that is passed with the others");
  if (agent && listen.length > 0 && !startsNode(run)) reader.fail(`${at}.listen`, `needs a command that is node itself, or agent: false: sockets would not get through "${run}"`);
  return {
    name,
    run,
    code: (typeof code === "string" ? [code] : code).map(toProjectPath),
    processes: reader.value(record, `${at}.processes`, 1, checkNumber(1, 256)),
    health,
    env,
    agent,
    listen,
    listenBy,
    drain,
    readyTimeoutMs: reader.value(record, `${at}.readyTimeoutMs`, 30_000, checkNumber(100, 3_600_000)),
    stopTimeoutMs: reader.value(record, `${at}.stopTimeoutMs`, 10_000, checkNumber(100, 3_600_000)),
    drainTimeoutMs: reader.value(record, `${at}.drainTimeoutMs`, 30_000, checkNumber(100, 3_600_000)),
    replace: reader.value<ResolvedService["replace"]>(record, `${at}.replace`, "hand-over", checkOneOf(["hand-over", "restart"])),
  };
}

/** `./src/` and `src` are the same; `.` stands for the whole project. */
function toProjectPath(given: string): string {
  const normal = path.posix.normalize(given.replaceAll("\\", "/")).replace(/\/+$/, "");
  return normal === "" ? "." : normal;
}

function checkCode(value: unknown): string | null {
  const list: unknown = typeof value === "string" ? [value] : value;
  const problem = checkTexts(list);
  if (problem !== null || (list as string[]).length === 0) return "is not a directory or a list of directories";
  const outside = (list as string[]).map(toProjectPath).find((directory) => directory !== "." && !isSafePath(directory));
  return outside === undefined ? null : `names ${outside}, which is not a directory inside the project`;
}

function checkRegistry(value: unknown): string | null {
  return typeof value === "string" && /^sqlite:.+/.test(value) ? null : "is not sqlite: and a file";
}

function checkHealth(value: unknown): string | null {
  return typeof value === "string" && /^(\/|https?:\/\/)/.test(value) ? null : "is not a path that begins with /, nor a URL";
}

function checkBoolean(value: unknown): string | null {
  return typeof value === "boolean" ? null : "is neither true nor false";
}

function checkPath(value: unknown): string | null {
  return typeof value === "string" && value.startsWith("/") ? null : "is not a path that begins with /";
}

function startsNode(run: string): boolean {
  return /^(?:[A-Za-z_]\w*=\S*\s+)*(?:\S*[\\/])?node(?:\.exe)?\s/.test(run.trim());
}

/** Names of hosts are none: what a name stands for may change while the socket is held. */
function checkListen(value: unknown): string | null {
  const problem = "is not a list of ports, or of addresses with ports such as 127.0.0.1:3000";
  if (!Array.isArray(value) || value.length > 16) return problem;
  const sockets = value.map((item: unknown) => (typeof item === "number" || typeof item === "string" ? toSocket(item) : ""));
  const isSocket = (socket: string): boolean => {
    const at = socket.lastIndexOf(":");
    const port = Number(socket.slice(at + 1));
    return at !== -1 && Number.isInteger(port) && port > 0 && port <= 65_535 && (at === 0 || net.isIP(socket.slice(0, at)) !== 0);
  };
  if (!sockets.every(isSocket)) return problem;
  return new Set(sockets).size === sockets.length ? null : "names a socket twice";
}

/** As `server.listen` names it: `:3000`, `127.0.0.1:3000`, `::1:3000`. */
function toSocket(item: number | string): string {
  return typeof item === "number" || /^\d+$/.test(item) ? `:${item}` : item.replace(/^\[(.*)\]:/, "$1:");
}

function checkEnv(value: unknown): string | null {
  const isEnv = typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((text) => typeof text === "string");
  if (!isEnv) return "is not an object of texts";
  const ours = Object.keys(value).find((name) => name.startsWith("MIDFLIGHT_"));
  return ours === undefined ? null : `sets ${ours}, which midflight sets itself`;
}

function checkOneOf(names: readonly string[]): (value: unknown) => string | null {
  return (value) => (names.includes(value as string) ? null : `is not one of ${names.join(", ")}`);
}

function checkSteps(value: unknown): string | null {
  if (!Array.isArray(value) || value.length > maxWaves || !value.every(isWaveStep)) return `is not a list of at most ${maxWaves} steps, such as ["1", "25%", "100%"]`;
  if (value.length > 0 && value.at(-1) !== "100%") return "does not end with 100%, so that some processes would never be reached";
  // How a count and a percentage compare, only the number of processes says; a wave keeps those of the one before in any case.
  const ofKind = (isShare: boolean): number[] => value.filter((step) => step.endsWith("%") === isShare).map(Number.parseFloat);
  return [ofKind(true), ofKind(false)].some((sizes) => sizes.some((size, i) => size < (sizes[i - 1] ?? 0))) ? "has a step that reaches fewer than one before it" : null;
}

function checkKey(value: unknown): string | null {
  return typeof value === "string" && /^(file|env):.+/.test(value) ? null : "is not file: and a path, nor env: and a variable";
}

function parseKeyPlace(text: string, projectDir: string): KeyPlace {
  return text.startsWith("env:") ? { kind: "env", name: text.slice(4) } : { kind: "file", path: path.resolve(projectDir, text.slice(5)) };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
