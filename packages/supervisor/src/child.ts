import { spawn } from "node:child_process";
import fs from "node:fs";
import { MidflightError } from "@midflight/protocol";
import type { Command } from "./command.ts";
import type { LogFile } from "./log-file.ts";
import { identify, isRunning, type ProcessIdentity } from "./process-identity.ts";

export interface Exit {
  /** Null when a signal ended it, or when it was not ours to wait for. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of ours that runs, begun by this control or by one before. */
export interface Child {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<Exit>;
  /** Asks it to end, and makes it end after `timeoutMs`. Resolves when it is gone. */
  stop(timeoutMs: number): Promise<Exit>;
}

export interface LaunchOptions {
  readonly command: Command;
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: LogFile;
}

/**
 * Starts a process in a group of its own: a Ctrl-C in the terminal reaches control alone, which then ends the group.
 * @throws MidflightError `PROCESS_EXITED` if it cannot be started
 */
export async function launch(options: LaunchOptions): Promise<Child> {
  const process = spawn(options.command.file, options.command.args, {
    cwd: options.directory,
    env: { ...options.env, ...options.command.env },
    detached: true,
    stdio: ["ignore", options.log.fd, options.log.fd],
  });
  fs.closeSync(options.log.fd);
  const ended = new Promise<Exit>((resolve) => process.once("exit", (code, signal) => resolve({ code, signal })));
  const failed = new Promise<Error>((resolve) => process.once("error", resolve));
  if (process.pid === undefined) {
    const error = await failed;
    throw new MidflightError("PROCESS_EXITED", { what: `${options.command.file} could not be started.`, why: error.message }, { cause: error });
  }
  // A process that ended at once cannot be identified any more; then nothing may ever be signalled by its number.
  const identity = identify(process.pid) ?? { pid: process.pid, startedAs: "ended" };
  const exited = ended.then((exit) => {
    killRestOfGroup(identity);
    return exit;
  });
  return { identity, exited, stop: (timeoutMs) => stop(identity, exited, timeoutMs) };
}

const pollMs = 200;

/** Takes over a process that an earlier control started. */
export function adopt(identity: ProcessIdentity): Child {
  const exited = new Promise<Exit>((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(identity)) return;
      clearInterval(timer);
      killRestOfGroup(identity);
      resolve({ code: null, signal: null });
    }, pollMs);
    timer.unref();
  });
  return { identity, exited, stop: (timeoutMs) => stop(identity, exited, timeoutMs) };
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
