import { adopt, launch } from "./child.ts";
import { agentArguments, isNode, parseCommand, withAgent, type Command } from "./command.ts";
import type { Holder } from "./holder/connect-holder.ts";
import type { Passing } from "./holder/words.ts";
import { openLogFile } from "./log-file.ts";
import { processEnvironment } from "./process-environment.ts";
import type { ProcessRecord } from "./process-table.ts";
import type { Service } from "./service.ts";
import type { ServiceProcessOptions } from "./kept-process.ts";
import type { BootRelease, Running } from "./running.ts";

/** The log of a process that started beside another one: each has its own, so that it can be told what which said. */
export function besideName(target: string): string {
  return `${target}.beside`;
}

/** Starts a process of a service from the live release, with the agent before the app. @param beside the one that serves meanwhile */
export async function startProcess(options: ServiceProcessOptions, beside: Running | null): Promise<Running> {
  const { target, service, layout, listen } = options;
  const boot = await options.bootRelease();
  listen({ kind: "process-starting", target, number: boot.number });
  const env = processEnvironment(options.environment, service, target, { ...options.agent, statePath: layout.state(target) });
  const plain = parseCommand(service.run);
  const { command, nodeOptions } = service.agent ? withAgent(plain, agentArguments(), env["NODE_OPTIONS"]) : { command: plain, nodeOptions: env["NODE_OPTIONS"] };
  const passing = passingTo(service, command);
  const log = openLogFile(layout.log(beside?.log.path === layout.log(target) ? besideName(target) : target));
  const holder = await options.holder();
  if (service.listen.length > 0) await holder.bind(service.name, service.listen);
  // Those that the process before left, that the one beside it uses, or that the service shares.
  const isGiven = passing === "line" && (service.listen.length > 0 || holder.sockets(target).length > 0);
  const startedAt = Date.now();
  const child = await launch({ holder, target, group: service.name, command, directory: boot.directory, env: { ...env, NODE_OPTIONS: nodeOptions }, log, passing });
  return { child, boot, log, startedAt, isAdopted: false, isGiven };
}

function passingTo(service: Service, command: Command): Passing {
  if (!service.agent) return service.listen.length > 0 ? service.listenBy : "nothing";
  return isNode(command) ? "line" : "nothing";
}

/** Goes on with a process that outlived the control that started it. */
export function adoptProcess(record: ProcessRecord, boot: BootRelease, holder: Holder): Running {
  return {
    child: adopt(record.identity!, holder.find(record.identity!.pid)), boot, log: { path: record.logPath, startBytes: record.logStartBytes },
    startedAt: Date.parse(record.startedAt ?? "") || Date.now(), isAdopted: true, isGiven: false,
  };
}

/** By its port, one of its siblings could answer. */
export function isAskedItself({ isGiven, child: { held } }: Running): boolean {
  return isGiven || (held !== null && held.door !== null);
}
