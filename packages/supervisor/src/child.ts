import fs from "node:fs";
import type { Command } from "./command.ts";
import type { Exit } from "./exit.ts";
import type { HeldProcess, Holder } from "./holder/connect-holder.ts";
import type { Passing } from "./holder/words.ts";
import type { LogFile } from "./log-file.ts";
import { identify, isRunning, type ProcessIdentity } from "./process-identity.ts";

/** A process of ours that runs, begun by this supervisor or by one before. */
export interface Child {
  readonly identity: ProcessIdentity;
  /** Null if the holder that started it is gone: it runs, but can hand nothing over. */
  readonly held: HeldProcess | null;
  readonly exited: Promise<Exit>;
  /** Asks it to end, and makes it end after `timeoutMs`. Resolves when it is gone. */
  stop(timeoutMs: number): Promise<Exit>;
}

export interface LaunchOptions {
  readonly holder: Holder;
  readonly target: string;
  /** Name of the service. */
  readonly group: string;
  readonly command: Command;
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: LogFile;
  readonly passing: Passing;
}

/**
 * Starts a process in a group of its own, as a child of the holder: it outlives the supervisor.
 * @throws MidflightError `PROCESS_EXITED` if it cannot be started
 */
export async function launch({ holder, target, group, command, directory, env, log, passing }: LaunchOptions): Promise<Child> {
  const held = await holder.launch({
    target, group, directory, file: command.file, args: command.args, env: { ...env, ...command.env }, logPath: log.path, passing,
  });
  // A process that ended at once cannot be identified any more; then nothing may ever be signalled by its number.
  return adopt(identify(held.pid) ?? { pid: held.pid, startedAs: "ended" }, held);
}

const pollMs = 200;

/** Takes over a process that runs. */
export function adopt(identity: ProcessIdentity, held: HeldProcess | null = null): Child {
  const told = held === null ? untilGone(identity) : Promise.race([held.exited, held.lost.then(() => untilGone(identity))]);
  const exited = told.then((exit) => {
    killRestOfGroup(identity);
    return exit;
  });
  return { identity, held, exited, stop: (timeoutMs) => stop(identity, exited, timeoutMs) };
}

/** One that is not a child of ours is seen to be gone by looking. */
function untilGone(identity: ProcessIdentity): Promise<Exit> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(identity)) return;
      clearInterval(timer);
      resolve({ code: null, signal: null });
    }, pollMs);
    timer.unref();
  });
}

async function stop(identity: ProcessIdentity, exited: Promise<Exit>, timeoutMs: number): Promise<Exit> {
  signalGroup(identity, "SIGTERM");
  const timer = setTimeout(() => signalGroup(identity, "SIGKILL"), timeoutMs);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
}

/** Never signals a number that is not provably the process we know. */
function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(-identity.pid, signal);
  } catch {
    // It ended in between.
  }
}

/** What it forked and left behind shares its group. Without it the next start would find its port taken. */
function killRestOfGroup(identity: ProcessIdentity): void {
  if (process.platform !== "linux") return;
  for (const pid of membersOfGroup(identity.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in between.
    }
  }
}

/**
 * Members of a group whose leader is gone. proc(5): state is the 3rd field, the group the 5th. The leader's number is not
 * given out again while its group has members; so if a process has that number, the group is not the one we knew.
 */
function membersOfGroup(group: number): number[] {
  const members: number[] = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(fields[2]) === group && fields[0] !== "Z") members.push(Number(name));
    } catch {
      // It ended in between.
    }
  }
  return members.includes(group) ? [] : members;
}
