import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Child {
  /** The lines it has written so far. */
  readonly lines: readonly string[];
  readonly firstLine: Promise<string>;
  /** SIGKILL; resolves when it is gone and all it wrote is read. */
  readonly kill: () => Promise<void>;
}

/** Runs a fixture in a process of its own. */
export function spawnFixture(name: "serve" | "publish" | "sweep", args: readonly string[]): Child {
  const fixture = fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["--conditions=@midflight/source", fixture, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines: string[] = [];
  if (child.stdout === null) throw new Error("no stdout");
  const reader = createInterface({ input: child.stdout });
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]);
  const firstLine = new Promise<string>((resolve, reject) => {
    reader.on("line", (line) => {
      lines.push(line);
      resolve(line);
    });
    reader.on("close", () => reject(new Error(`${name} ended without a word`)));
  });
  firstLine.catch(() => undefined); // it may be killed before its first word
  return {
    lines,
    firstLine,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
