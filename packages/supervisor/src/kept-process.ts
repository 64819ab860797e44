import type { Registry } from "@midflight/protocol";
import type { Listen } from "./event.ts";
import type { Holder } from "./holder/connect-holder.ts";
import type { AgentEnvironment } from "./process-environment.ts";
import type { ProcessPhase, ProcessTable } from "./process-table.ts";
import type { BootRelease } from "./running.ts";
import type { Service, SupervisorPaths } from "./service.ts";

export interface ServiceProcessOptions {
  readonly target: string;
  readonly service: Service;
  readonly layout: SupervisorPaths;
  readonly registry: Registry;
  readonly channelName: string;
  readonly agent: Omit<AgentEnvironment, "statePath">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly table: ProcessTable;
  readonly listen: Listen;
  /** What holds the sockets and starts processes. */
  holder(): Promise<Holder>;
  /** What to start from now. */
  bootRelease(): Promise<BootRelease>;
  /** Told when a release failed to start twice in a row here. */
  onBootFailedTwice(target: string, boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void>;
  /** Told when a release did not get ready beside the one that serves, which serves on. */
  onReplaceFailed(target: string, boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void>;
}

/** Keeps one process of a service running, on the live release. */
export interface ServiceProcess {
  readonly target: string;
  /** The release that the running process was started from; null while none runs. */
  readonly boot: BootRelease | null;
  readonly pid: number | null;
  readonly phase: ProcessPhase;
  /** When the running process was found ready, epoch ms; null while none is. */
  readonly readyAt: number | null;
  /** Resolves when it is ready for the first time, or has failed for the first time. */
  readonly firstOutcome: Promise<"ready" | "failed">;
  /**
   * Starts another one from the live release, and ends this one: after it if sockets can be handed over, else before it.
   * Resolves when the new one is ready and the old one gone, or when the new one has failed.
   * @throws Error if no process can be started at all; the old one serves on
   */
  replace(reason: string): Promise<"ready" | "failed">;
  /** Another release is live: a process that waits to be started again is started at once, and its failures count anew. */
  wake(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}
