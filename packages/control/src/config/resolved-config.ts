import type { RequestPolicy, Rung, WaveStep } from "@midflight/protocol";
import type { Gates } from "../gates/open-gates.ts";

/** The configuration with every value decided, and frozen. */
export interface ResolvedConfig {
  readonly app: string;
  readonly channel: string;
  /** `app/channel`: the name of the log. */
  readonly channelName: string;
  /** Absolute path of the registry's file. */
  readonly registryPath: string;
  /** Null: any free port, kept from start to start. */
  readonly port: number | null;
  readonly services: readonly ResolvedService[];
  readonly assets: readonly string[];
  readonly publish: { readonly marker: string | null; readonly quietMs: number };
  readonly requests: RequestPolicy;
  readonly rollout: ResolvedRollout;
  readonly signing: { readonly key: KeyPlace };
  /** Absolute path of the project. */
  readonly projectDir: string;
  /** Key path, such as `services.web.run`, to where its value comes from. */
  readonly origins: ReadonlyMap<string, ConfigOrigin>;
}

export interface ResolvedRollout {
  readonly maxRung: Rung;
  /** Waves, the last one `100%`; empty: all processes at once. */
  readonly steps: readonly WaveStep[];
  /** How long each wave but the last has to stay healthy. */
  readonly bakeMs: number;
  /** How long it may take until one more process of a wave confirms it. */
  readonly deadlineMs: number;
  readonly gates: Gates;
}

export interface ResolvedService {
  readonly name: string;
  readonly run: string;
  /** Relative to the project, with `/`. */
  readonly code: readonly string[];
  readonly processes: number;
  readonly health: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly agent: boolean;
  /** `127.0.0.1:3000`, `:3000`. */
  readonly listen: readonly string[];
  readonly listenBy: "listen-fds" | "stdin";
  readonly drain: string | null;
  readonly readyTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly replace: "hand-over" | "restart";
}

export type KeyPlace = { readonly kind: "file"; readonly path: string } | { readonly kind: "env"; readonly name: string };

/** `value` is what `config --explain` prints; `from` e.g. "midflight.config.ts", "flag --max-rung", "default". */
export interface ConfigOrigin {
  readonly value: string;
  readonly from: string;
}

/** True where a deploy changes what nobody but the developer sees. */
export function isDevelopment(config: ResolvedConfig): boolean {
  return config.channel === "development";
}

/** Names of the processes that the configuration asks for: `web-1`, `web-2`, … */
export function targetsOf(service: ResolvedService): string[] {
  return Array.from({ length: service.processes }, (_, i) => `${service.name}-${i + 1}`);
}
