import { readFileSync } from "node:fs";
import path from "node:path";
import { layoutOf, type Config } from "@midflight/control";
import { startProcess, type StartedProcess } from "@midflight/testkit";
import { setupVariable } from "./project.ts";

/** When each step of one publish ended, epoch ms. */
export interface PublishSteps {
  readonly event: "published" | "unchanged" | "refused";
  readonly reason: string;
  readonly number: number;
  readonly rung: string;
  readonly batchAt: number;
  readonly collectedAt: number;
  readonly publishedAt: number;
  readonly calls: readonly { readonly call: string; readonly at: number; readonly tookMs: number }[];
}

/** Control with its registry, a publisher that watches, and an app under its agent: three processes, as in production. */
export interface LiveSystem {
  readonly control: StartedProcess;
  readonly publisher: StartedProcess;
  /** The next publish after those that were asked for before. Rejects if it is not published. */
  nextPublish(): Promise<PublishSteps>;
  /** When the app's agent entered each of its states, epoch ms, oldest first. */
  agentStates(): readonly { readonly at: number; readonly state: string }[];
  /** Text that agents refused with; empty if all went well. */
  close(): Promise<void>;
}

/** `config` has one service, `web`. Resolves when it is ready and the publisher has looked at the code once. */
export async function startLiveSystem(projectDir: string, config: Config): Promise<LiveSystem> {
  const env = { ...setupVariable({ projectDir, config }), NODE_OPTIONS: undefined };
  const start = (name: string): Promise<StartedProcess> => startProcess({ command: process.execPath, args: [path.join(import.meta.dirname, name)], env, cwd: projectDir });
  const control = await start("control-process.ts");
  try {
    const [line] = await control.waitForLine(/^\{"event":"(?:ready|failed)".*$/, { timeoutMs: 60_000 });
    if (line.startsWith('{"event":"failed"')) throw new Error(line);
    const publisher = await start("publisher-process.ts");
    // Each publish is one line; the first one only says that there is nothing new.
    const next = linesOf(publisher);
    await next();
    return {
      control,
      publisher,
      async nextPublish() {
        const steps = JSON.parse(await next()) as PublishSteps;
        if (steps.event !== "published") throw new Error(`not published: ${JSON.stringify(steps)}`);
        return steps;
      },
      agentStates() {
        const log = readFileSync(layoutOf(projectDir).log("web-1"), "utf8").split("\n");
        return log.filter((text) => text.startsWith('{"event":"agent"')).map((text) => JSON.parse(text) as { at: number; state: string });
      },
      async close() {
        await publisher.stop();
        await control.stop({ withinMs: 20_000 });
      },
    };
  } catch (error) {
    await control.killGroup();
    throw error;
  }
}

/** A process's lines on stdout, one per call, none left out. */
function linesOf(started: StartedProcess): () => Promise<string> {
  const ready: string[] = [...started.stdout.lines];
  const waiting: ((line: string) => void)[] = [];
  started.stdout.watch((line) => {
    const take = waiting.shift();
    if (take === undefined) ready.push(line);
    else take(line);
  });
  return async () => {
    const line = ready.shift();
    if (line !== undefined) return line;
    const coming = new Promise<string>((resolve) => waiting.push(resolve));
    const end = started.exited.then(({ code, signal }) => {
      throw new Error(`the publisher ended (${signal ?? code}):\n${started.stderr.lines.slice(-20).join("\n")}`);
    });
    return await Promise.race([coming, end]);
  };
}
