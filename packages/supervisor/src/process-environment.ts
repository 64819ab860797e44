import { addressOfSocket } from "./holder/bind-socket.ts";
import type { Service } from "./service.ts";

/** What an agent has to know to find its registry, its channel and its place on disk. */
export interface AgentEnvironment {
  readonly registryUrl: string;
  readonly token: string;
  readonly channelName: string;
  readonly rootPath: string;
  readonly statePath: string;
}

/** What a person may set for all agents, where control is started. */
const passedOn: readonly string[] = ["MIDFLIGHT_BOOT_WAIT_MS", "MIDFLIGHT_PIN_MS", "MIDFLIGHT_POLICY", "MIDFLIGHT_PROBATION_MS"];

/** What systemd says to control itself. */
const notOurs: readonly string[] = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET"];

/** The variables of one process: those of control, then the service's own, then what midflight needs. */
export function processEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  service: Service,
  target: string,
  agent: AgentEnvironment,
): Record<string, string | undefined> {
  const inherited = Object.fromEntries(Object.entries(base).filter(([name]) => !notOurs.includes(name) && (!name.startsWith("MIDFLIGHT_") || passedOn.includes(name))));
  const port = portOf(service, target);
  return {
    ...inherited,
    ...service.env,
    ...(port === null ? {} : { PORT: String(port) }),
    ...(service.agent ? { MIDFLIGHT_REGISTRY: agent.registryUrl, MIDFLIGHT_TOKEN: agent.token, MIDFLIGHT_CHANNEL: agent.channelName, MIDFLIGHT_ROOT: agent.rootPath } : {}),
    MIDFLIGHT_SERVICE: service.name,
    MIDFLIGHT_TARGET: target,
    MIDFLIGHT_STATE: agent.statePath,
  };
}

/** The first of the sockets that are shared; else process n of a service gets `PORT` + n − 1; 0 stays 0 (any free port); null if the service names none. */
export function portOf(service: Service, target: string): number | null {
  const [shared] = service.listen;
  if (shared !== undefined) return addressOfSocket(shared).port;
  const first = Number(service.env["PORT"] ?? "");
  if (!Number.isInteger(first) || service.env["PORT"] === undefined || first < 0) return null;
  return first === 0 ? 0 : first + Number(target.slice(target.lastIndexOf("-") + 1)) - 1;
}

const anyHost: readonly string[] = ["0.0.0.0", "::"];

/** Where a process is asked by its port; null if only itself could say. */
export function addressOf(service: Service, target: string): string | null {
  const port = portOf(service, target);
  const host = service.listen[0] === undefined ? "" : addressOfSocket(service.listen[0]).host;
  if (port !== null && host !== "" && !anyHost.includes(host)) return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return port === null || port === 0 ? null : `http://127.0.0.1:${port}`;
}
