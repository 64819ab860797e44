import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly firstLine: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Runs a fixture in a process of its own and waits for its first line. It is gone after the test. */
export async function spawnFixture(t: TestContext, name: "serve" | "lock", args: readonly string[]): Promise<Child> {
  const fixture = fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@midflight/source", fixture, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  t.after(kill);
  const [firstLine] = (await Promise.race([once(createInterface({ input: child.stdout }), "line"), exited.then(() => Promise.reject(new Error(`${name} ended without a word`)))])) as [string];
  return { firstLine, kill };
}
