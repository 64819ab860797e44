import { fileURLToPath } from "node:url";
import type { AgentWord } from "@midflight/protocol";
import type { HeldProcess, Holder } from "../holder/connect-holder.ts";
import { socketAddress } from "../holder/holder-address.ts";
import { connectRouter, type RouterLine } from "./router-line.ts";

export interface StartRouterOptions {
  readonly holder: Holder;
  readonly root: string;
  readonly target: string;
  readonly stateFile: string;
  readonly sockets: readonly string[];
  readonly logPath: string;
  /** Of the service: a socket named `:0` is found by its `PORT`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const readyWithinMs = 20_000;

export interface StartedRouter {
  readonly held: HeldProcess;
  readonly line: RouterLine;
}

/** Starts a router with the target's sockets. It accepts when it is told to. @throws Error if it does not get ready */
export async function startRouter({ holder, root, target, stateFile, sockets, logPath, environment }: StartRouterOptions): Promise<StartedRouter> {
  const main = import.meta.resolve("./main.ts".replace(/ts$/, import.meta.url.endsWith(".ts") ? "ts" : "js"));
  const source = main.endsWith(".ts") ? ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning"] : [];
  const held = await holder.launch({
    target, directory: "/", file: process.execPath, group: `${target}/router`, passing: "line", logPath,
    args: [...source, "--import", import.meta.resolve("@midflight/agent/hand-over"), fileURLToPath(main), controlPath(root, target), stateFile, JSON.stringify(sockets)],
    env: { PATH: environment["PATH"], PORT: environment["PORT"] },
  });
  try {
    await Promise.race([untilListening(held, sockets), held.exited.then(() => Promise.reject(new Error("the router ended"))), tooLate()]);
    return { held, line: await connectRouter(controlPath(root, target)) };
  } catch (error) {
    process.kill(held.pid, "SIGKILL");
    throw error;
  }
}

/** One that an earlier supervisor started. @throws Error if it is not there */
export async function findRouter({ holder, root, target }: Pick<StartRouterOptions, "holder" | "root" | "target">, pid: number): Promise<StartedRouter> {
  const held = holder.find(pid);
  if (held === null) throw new Error("the router has ended");
  return { held, line: await connectRouter(controlPath(root, target)) };
}

function controlPath(root: string, target: string): string {
  return socketAddress(root, `router/${target}`);
}

async function untilListening(held: HeldProcess, sockets: readonly string[]): Promise<void> {
  while (!sockets.every((socket) => held.listening.has(socket))) await held.hear((word): word is AgentWord => word.kind === "listening");
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`the router was not ready after ${readyWithinMs / 1000} s`)), readyWithinMs).unref());
}
