import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { isGroupAlive, isGroupGoneWithin, markLeaderGone, signalGroup, watchGroup } from "./process-groups.ts";
import { LineLog, type WaitOptions } from "./line-log.ts";

export interface ProcessOptions {
  /** A program on the PATH or an absolute path; no shell is involved. */
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to the environment of this process; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StopOptions {
  /** Default: SIGTERM. */
  readonly signal?: NodeJS.Signals;
  /** How long the process may take, in milliseconds. Default: 30 000. */
  readonly withinMs?: number;
}

/** A child process that a test started, with what it prints. */
export interface StartedProcess {
  readonly pid: number;
  readonly stdout: LineLog;
  readonly stderr: LineLog;
  /** Settles when the process has ended, however that came about. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly isAlive: boolean;
  /** True while the process or anything it started lives. */
  readonly isGroupAlive: boolean;
  /** Waits for a line on stdout or stderr, earlier ones included. Rejects when the process ends first or time is up. */
  waitForLine(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray>;
  /** Sends the signal to this process alone and waits for its end. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<ProcessExit>;
  /** Ends this process and everything it started, at once. */
  killGroup(): Promise<ProcessExit>;
  /** Asks the process to end. Rejects, after killing it, when it does not do so in time. */
  stop(options?: StopOptions): Promise<ProcessExit>;
}

/** Output may still be in the pipe when a process ends, or for ever if a grandchild holds the pipe. */
const LAST_OUTPUT_MS = 250;
/** Only a process that hangs in the kernel needs longer. */
const KILL_WITHIN_MS = 30_000;

/**
 * Starts a real process in a group of its own, so that what it starts can be found and ended too.
 * Whatever still lives when this process exits is killed. Rejects if the program cannot be started.
 */
export async function startProcess(options: ProcessOptions): Promise<StartedProcess> {
  const child = spawn(options.command, options.args ?? [], {
    cwd: options.cwd,
    env: environment(options.env ?? {}),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const exited = exitOf(child);
  const stdout = new LineLog(child.stdout);
  const stderr = new LineLog(child.stderr);
  const pid = await pidOf(child);
  const title = [options.command, ...(options.args ?? [])].join(" ");
  watchGroup(pid, title);
  let isAlive = true;
  void (async () => {
    await exited;
    isAlive = false;
    markLeaderGone(pid);
  })();

  const send = async (signal: NodeJS.Signals): Promise<ProcessExit> => {
    child.kill(signal);
    return await exited;
  };
  const killGroup = async (): Promise<ProcessExit> => {
    signalGroup(pid, "SIGKILL");
    if (!(await isGroupGoneWithin(pid, KILL_WITHIN_MS))) throw new Error(`${title}: group ${pid} outlived SIGKILL`);
    return await exited;
  };

  return {
    pid,
    stdout,
    stderr,
    exited,
    get isAlive(): boolean {
      return isAlive;
    },
    get isGroupAlive(): boolean {
      return isGroupAlive(pid);
    },
    waitForLine: (pattern, wait = {}) => waitForLine({ title, pattern, wait, logs: [stdout, stderr], exited }),
    kill: (signal = "SIGKILL") => send(signal),
    killGroup,
    async stop({ signal = "SIGTERM", withinMs = 30_000 } = {}) {
      const timer = new AbortController();
      child.kill(signal);
      const first = await Promise.race([exited, delay(withinMs, null, { signal: timer.signal }).catch(() => null)]);
      timer.abort();
      if (first !== null) return first;
      await killGroup();
      throw new Error(`${title} (pid ${pid}) did not end within ${withinMs} ms of ${signal}\n${lastLines([stdout, stderr])}`);
    },
  };
}

interface LineWait {
  readonly title: string;
  readonly pattern: RegExp;
  readonly wait: WaitOptions;
  readonly logs: readonly LineLog[];
  readonly exited: Promise<ProcessExit>;
}

async function waitForLine({ title, pattern, wait, logs, exited }: LineWait): Promise<RegExpExecArray> {
  const timeoutMs = wait.timeoutMs ?? 60_000;
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(`no such line within ${timeoutMs} ms`), timeoutMs);
  void exited.then(({ code, signal }) => giveUp.abort(`the process ended first (${signal ?? `code ${code}`})`));
  try {
    return await Promise.any(logs.map((log) => log.find(pattern, giveUp.signal)));
  } catch {
    throw new Error(`${title} did not print ${pattern}: ${String(giveUp.signal.reason)}\n${lastLines(logs)}`);
  } finally {
    clearTimeout(timer);
    giveUp.abort("found");
  }
}

function lastLines(logs: readonly LineLog[]): string {
  return logs.flatMap((log) => log.lines.slice(-20)).join("\n") || "(it printed nothing)";
}

/** A child that is itself a test run must not believe that it belongs to ours. */
function environment(extra: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  if (!("NODE_TEST_CONTEXT" in extra)) delete env["NODE_TEST_CONTEXT"];
  for (const [name, value] of Object.entries(extra)) if (value === undefined) delete env[name];
  return env;
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      child.off("error", reject);
      // A signal that cannot be sent any more is no news: `exited` tells.
      child.on("error", () => {});
      resolve(child.pid as number);
    });
  });
}

function exitOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      const settle = (): void => {
        clearTimeout(timer);
        resolve({ code, signal });
      };
      const timer = setTimeout(settle, LAST_OUTPUT_MS);
      child.once("close", settle);
    });
  });
}
