import { connect, type Socket } from "node:net";
import path from "node:path";
import { startApp, startedTicks, type AppProcess, type AppStart } from "@midflight/testkit";
import type { TestResult } from "./score.ts";
import type { MochaOptions, TestGroup } from "./runners.ts";

export const hostFile: string = path.join(import.meta.dirname, "host/host.mjs");
export const hostReady = /^replay host listens on (\d+)$/;

/** What the host is told of the library that it loads. */
export interface HostSetup {
  readonly entry: string;
  readonly units: readonly string[];
  readonly isEsm: boolean;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  /** Units of the library that the tests loaded anew beside the live ones. */
  readonly fresh: readonly string[];
  /** Why there are no results: the process hung, crashed or could not load a file; null if it ran. */
  readonly problem: string | null;
}

export interface TestOrder {
  readonly directory: string;
  readonly groups: readonly TestGroup[];
  readonly mocha: MochaOptions;
  /** How long the tests may take, in ms. Default: 90,000. */
  readonly withinMs?: number;
}

/** A process under replay, spoken to over one socket from its start to its end. */
export interface ReplayProcess {
  readonly pid: number;
  readonly startedTicks: number;
  /** @throws Error if the host says no, ends or is silent for too long */
  ask(command: string, more?: object): Promise<Readonly<Record<string, unknown>>>;
  runTests(order: TestOrder): Promise<TestRun>;
  /** What is not as it was left: the process, its socket, its memory. Null if all of it is. */
  disturbed(): Promise<string | null>;
  close(): Promise<void>;
}

const askWithinMs = 60_000;
export const testsWithinMs = 90_000;

export function hostEnvironment(setup: HostSetup): Readonly<Record<string, string>> {
  return { REPLAY_SETUP: JSON.stringify(setup), NODE_ENV: "test", NO_COLOR: "1" };
}

/** Starts a library from a directory as it lies there, without an agent. */
export async function startPlain(directory: string, setup: HostSetup): Promise<ReplayProcess> {
  const start: AppStart = { args: [hostFile], cwd: directory, env: hostEnvironment(setup), isManaged: false, ready: hostReady };
  return await speakTo(await startApp(start));
}

export async function speakTo(app: AppProcess): Promise<ReplayProcess> {
  const socket = connect(Number(app.url.port), "127.0.0.1");
  const answers = new Map<number, (answer: Readonly<Record<string, unknown>>) => void>();
  let broken: Error | null = null;
  let asked = 0;
  readLines(socket, (line) => {
    const answer = JSON.parse(line) as Readonly<Record<string, unknown>>;
    answers.get(Number(answer["id"]))?.(answer);
    answers.delete(Number(answer["id"]));
  });
  const ended = new Promise<never>((_, reject) => {
    const fail = (why: string): void => reject((broken ??= new Error(why)));
    socket.once("close", () => fail("its socket was closed"));
    socket.once("error", (error) => fail(error.message));
    void app.exited.then(({ code, signal }) => fail(`the process ended (${signal ?? code}): ${app.stderr.lines.slice(-5).join(" | ").slice(0, 500)}`));
  });
  ended.catch(() => undefined); // it is met by whoever asks

  async function ask(command: string, more: object = {}, withinMs = askWithinMs): Promise<Readonly<Record<string, unknown>>> {
    if (broken !== null) throw broken;
    const id = (asked += 1);
    const answered = new Promise<Readonly<Record<string, unknown>>>((resolve) => answers.set(id, resolve));
    socket.write(`${JSON.stringify({ id, does: command, ...more })}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer to ${command} within ${withinMs / 1000} s`)), withinMs);
    });
    try {
      const answer = await Promise.race([answered, ended, late]);
      if (answer["commands"] !== asked) throw new Error(`its memory counts ${String(answer["commands"])} commands, and ${asked} were given`);
      if (answer["pid"] !== app.pid) throw new Error("another process answers");
      if (typeof answer["error"] === "string") throw new Error(answer["error"]);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    pid: app.pid,
    startedTicks: app.startedTicks,
    ask,
    async runTests(order) {
      try {
        const { results, fresh } = await ask("run", order, order.withinMs ?? testsWithinMs);
        return { results: results as readonly TestResult[], fresh: fresh as readonly string[], problem: null };
      } catch (error) {
        return { results: [], fresh: [], problem: (error as Error).message.slice(0, 600) };
      }
    },
    async disturbed() {
      if (!app.isAlive || startedTicks(app.pid) !== app.startedTicks) return "the process is not the one that was started";
      try {
        const { lost } = await ask("lost");
        const names = lost as readonly string[];
        return names.length === 0 ? null : `what was held before is not what is loaded now: ${names.slice(0, 5).join(", ")}`;
      } catch (error) {
        return (error as Error).message;
      }
    },
    async close() {
      socket.destroy();
      await app.killGroup();
    },
  };
}

function readLines(socket: Socket, take: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
}
