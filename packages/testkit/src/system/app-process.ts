import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type StartedProcess, startProcess } from "../process/start-process.ts";

export interface AppStart {
  /** Absolute path of a Node binary. Default: the one that runs this. */
  readonly node?: string;
  /** What follows `node` on the command line. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** More `--import`s, before the agent's. */
  readonly imports?: readonly string[];
  /** Loads the agent. Default: true. */
  readonly isManaged?: boolean;
  /** A line that tells that the app serves; its first group is the URL or the port. */
  readonly ready: RegExp;
}

export interface AppProcess extends StartedProcess {
  readonly url: URL;
  /** Ticks since the machine's boot: with the pid, the identity of a process. Linux only, 0 elsewhere. */
  readonly startedTicks: number;
}

/** The agent as users load it: built, on every Node. */
export const agentRegister: string = new URL("../../../agent/dist/register.js", import.meta.url).href;

/** Starts an app and waits until it says where it serves. What started is killed when it does not. */
export async function startApp(options: AppStart): Promise<AppProcess> {
  const imports = [...(options.imports ?? []), ...(options.isManaged === false ? [] : [agentRegister])];
  const started = await startProcess({
    command: options.node ?? process.execPath,
    args: [...imports.map((url) => `--import=${url}`), ...options.args],
    cwd: options.cwd,
    env: { NODE_OPTIONS: undefined, ...options.env },
  });
  try {
    const place = (await started.waitForLine(options.ready))[1] ?? "";
    const url = new URL(/^\d+$/.test(place) ? `http://127.0.0.1:${place}` : place);
    // `started` has getters: they must stay.
    return Object.defineProperties(Object.create(started) as AppProcess, { url: { value: url }, startedTicks: { value: startedTicks(started.pid) } });
  } catch (error) {
    await started.killGroup();
    throw error;
  }
}

/** Field 22 of /proc/<pid>/stat; 0 if there is none. */
export function startedTicks(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return 0;
  }
}

export const repositoryRoot: string = fileURLToPath(new URL("../../../../", import.meta.url));
