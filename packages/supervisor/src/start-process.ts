import type { ReleaseId } from "@midflight/protocol";
import { adopt, launch, type Child } from "./child.ts";
import { agentArguments, parseCommand, withAgent } from "./command.ts";
import { openLogFile, type LogFile } from "./log-file.ts";
import { processEnvironment } from "./process-environment.ts";
import type { ProcessRecord } from "./process-table.ts";
import type { ServiceProcessOptions } from "./service-process.ts";

/** A release that lies on disk, ready to be started from. */
export interface BootRelease {
  readonly release: ReleaseId;
  readonly number: number;
  readonly directory: string;
}

/** One process and what it was started from. */
export interface Running {
  readonly child: Child;
  readonly boot: BootRelease;
  readonly log: Pick<LogFile, "path" | "startBytes">;
  /** Epoch ms. */
  readonly startedAt: number;
  /** An earlier control started it. */
  readonly isAdopted: boolean;
}

/** Starts a process of a service from the live release, with the agent before the app. */
export async function startProcess(options: ServiceProcessOptions): Promise<Running> {
  const { target, service, layout, listen } = options;
  const boot = await options.bootRelease();
  listen({ kind: "process-starting", target, number: boot.number });
  const env = processEnvironment(options.environment, service, target, { ...options.agent, statePath: layout.state(target) });
  const { command, nodeOptions } = withAgent(parseCommand(service.run), agentArguments(), env["NODE_OPTIONS"]);
  const log = openLogFile(layout.log(target));
  const startedAt = Date.now();
  const child = await launch({ command, directory: boot.directory, env: { ...env, NODE_OPTIONS: nodeOptions }, log });
  return { child, boot, log, startedAt, isAdopted: false };
}

/** Goes on with a process that outlived the control that started it. */
export function adoptProcess(record: ProcessRecord, boot: BootRelease): Running {
  return {
    child: adopt(record.identity!), boot, log: { path: record.logPath, startBytes: record.logStartBytes },
    startedAt: Date.parse(record.startedAt ?? "") || Date.now(), isAdopted: true,
  };
}
