import assert from "node:assert/strict";
import { connectRegistry } from "@midflight/registry-client";
import type { LogEntry } from "@midflight/protocol";
import type { LineLog, StartedProcess } from "@midflight/testkit";
import { makeProject, type Project, type ProjectOptions, type Ran, type Up } from "../../packages/midflight/test/support/project.ts";
import { openProxy, type Meddling } from "./meddling-proxy.ts";

export const greeting = (says: string): string => `export function greet() {\n  return ${JSON.stringify(says)};\n}\n`;

/** A user at a project that runs, with everything needed to see that a refusal changed nothing. */
export class Desk {
  readonly project: Project;
  up: Up;

  private constructor(project: Project, up: Up) {
    this.project = project;
    this.up = up;
  }

  static async open(options: ProjectOptions = {}, ...args: readonly string[]): Promise<Desk> {
    return Desk.at(makeProject(options), ...args);
  }

  static async at(project: Project, ...args: readonly string[]): Promise<Desk> {
    return new Desk(project, await project.up(...args));
  }

  /** The log of the channel, from the registry itself. */
  async log(): Promise<readonly LogEntry[]> {
    const { url } = JSON.parse(this.project.read(".midflight/control.json")) as { url: string };
    const tokens = JSON.parse(this.project.read(".midflight/tokens.json")) as Record<string, string>;
    const registry = connectRegistry({ url, token: tokens["reader"] ?? "" });
    try {
      return (await registry.read("demo/development", null, 1000)).entries;
    } finally {
      await registry.close();
    }
  }

  /**
   * Runs a command that must be refused: the four lines, the exit code; nothing in the log, and the process that
   * was there serves the next request in line with the code that it had.
   */
  async refuses(args: readonly string[], code: string, exit: number): Promise<string> {
    const [logBefore, before] = [await this.log(), await this.up.ask()];
    const ran = await this.project.run(...args);
    expectFourLines(ran.stderr, code);
    assert.equal(ran.code, exit, ran.stderr);
    assert.deepEqual((await this.log()).slice(logBefore.length), [], "nothing was published");
    const now = await this.up.ask();
    assert.deepEqual([now.says, now.pid, now.total], [before.says, before.pid, before.total + 1], "the old code serves on");
    return ran.stderr;
  }

  /** Deploys what must go live, and asks. */
  async deploys(says: string): Promise<Ran> {
    const ran = await this.project.run("deploy");
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal((await this.up.ask()).says, says);
    return ran;
  }

  /** Until the app says so; looks again at each line that control prints. */
  async untilSays(says: string, withinMs = 60_000): Promise<void> {
    const { stdout } = this.up.process;
    const deadline = performance.now() + withinMs;
    while ((await this.up.ask()).says !== says) {
      if (performance.now() > deadline) throw new Error(`it does not say "${says}"\n${stdout.lines.slice(-20).join("\n")}`);
      await nextLine(stdout, 1000);
    }
  }

  /** Commands that start while it is open reach the registry through a proxy. */
  async meddle(meddling: Meddling, work: () => Promise<void>): Promise<void> {
    const file = ".midflight/control.json";
    const original = this.project.read(file);
    const control = JSON.parse(original) as { url: string };
    const proxy = await openProxy(control.url, meddling);
    this.project.write(file, JSON.stringify({ ...control, url: proxy.url }));
    try {
      await work();
    } finally {
      await proxy.close();
      if (this.up.process.isAlive) this.project.write(file, original);
    }
  }

  async close(): Promise<void> {
    if (this.up.process.isAlive) await this.up.process.stop();
    this.project.remove();
  }
}

/** The next line of a log, or a while without one: it may have come between two looks. */
function nextLine(log: LineLog, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unwatch();
      resolve();
    };
    const timer = setTimeout(done, withinMs);
    const unwatch = log.watch(done);
  });
}

/** The four lines of an error, as people read them; no stack. */
export function expectFourLines(text: string, code: string): void {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.includes(`✖ ${code}`));
  assert.notEqual(at, -1, `${code} was expected:\n${text}`);
  assert.match(lines[at + 1] ?? "", /^ {2}\S/, text);
  const rest = lines.slice(at + 1).join("\n");
  for (const label of ["Why", "State", "Do"]) assert.match(rest, new RegExp(`^  ${label} +\\S`, "m"), text);
  assert.doesNotMatch(rest, /^ +at \S+ \(/m, text);
}

/** Waits for an error in four lines on a stream that goes on. */
export async function tellsInFourLines(process: StartedProcess, code: string): Promise<void> {
  await process.waitForLine(new RegExp(`✖ ${code}`));
  const lines = process.stdout.lines;
  const from = lines.findLastIndex((line) => line.includes(`✖ ${code}`));
  // The four lines are written in one go; the last of them is in the same pipe.
  while (!lines.slice(from).some((line) => /^ {2}Do +\S/.test(line))) await nextLine(process.stdout, 1000);
  expectFourLines(lines.slice(from).join("\n"), code);
}
