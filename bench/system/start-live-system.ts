import { readFileSync } from "node:fs";
import path from "node:path";
import { layoutOf, type Config } from "@midflight/control";
import { startProcess, type StartedProcess } from "@midflight/testkit";
import { setupVariable } from "./project.ts";

/** When each step of one publish ended, epoch ms. Without a process of its own, a publisher tells only that it has published. */
export interface PublishSteps {
  readonly event: "published" | "unchanged" | "refused";
  readonly reason: string;
  readonly number: number;
  readonly rung: string;
  readonly batchAt?: number;
  readonly collectedAt?: number;
  readonly publishedAt: number;
  readonly calls?: readonly { readonly call: string; readonly at: number; readonly tookMs: number }[];
}

/** Control with its registry, a publisher that watches, and an app under its agent: three processes, or two with `midflight up --watch`. */
export interface LiveSystem {
  /** The next publish after those that were asked for before. Rejects if it is not published. */
  nextPublish(): Promise<PublishSteps>;
  /** When the app's agent entered each of its states, epoch ms, oldest first. */
  agentStates(): readonly { readonly at: number; readonly state: string }[];
  close(): Promise<void>;
}

/** `config` has one service, `web`. Resolves when it is ready and the publisher has looked at the code once. */
export async function startLiveSystem(projectDir: string, config: Config, isTogether: boolean): Promise<LiveSystem> {
  const env = { ...setupVariable({ projectDir, config, isWatching: isTogether }), NODE_OPTIONS: undefined };
  const start = (name: string): Promise<StartedProcess> => startProcess({ command: process.execPath, args: [path.join(import.meta.dirname, name)], env, cwd: projectDir });
  const control = await start("control-process.ts");
  try {
    const [line] = await control.waitForLine(/^\{"event":"(?:ready|failed)".*$/, { timeoutMs: 60_000 });
    if (line.startsWith('{"event":"failed"')) throw new Error(line);
    const publisher = isTogether ? control : await start("publisher-process.ts");
    // Each publish is one line; the first one of a publisher alone only says that there is nothing new.
    const next = linesOf(publisher, /^\{"event":"(?:published|unchanged|refused)"/);
    if (!isTogether) await next();
    return {
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
        if (!isTogether) await publisher.stop();
        await control.stop({ withinMs: 20_000 });
      },
    };
  } catch (error) {
    await control.killGroup();
    throw error;
  }
}

/** A process's lines of a kind on stdout, one per call, none left out. */
function linesOf(started: StartedProcess, kind: RegExp): () => Promise<string> {
  const ready: string[] = started.stdout.lines.filter((line) => kind.test(line));
  const waiting: ((line: string) => void)[] = [];
  started.stdout.watch((line) => {
    if (!kind.test(line)) return;
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
