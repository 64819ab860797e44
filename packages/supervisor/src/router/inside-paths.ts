import { randomBytes } from "node:crypto";
import type { AgentWord } from "@midflight/protocol";
import { socketAddress } from "../holder/holder-address.ts";
import type { HeldProcess } from "../holder/connect-holder.ts";
import type { Upstream } from "./table.ts";

type Serving = Extract<AgentWord, { readonly kind: "serving" }>;
const answerWithinMs = 5000;

/** Asks a process to serve these of its sockets to the router, too. Answers where, or why it cannot. */
export async function serveInside(root: string, held: HeldProcess, sockets: readonly string[]): Promise<{ readonly upstream: Upstream } | { readonly problem: string }> {
  const upstream: Record<string, string> = {};
  for (const socket of sockets) {
    const path = socketAddress(root, `router/${held.pid}-${randomBytes(4).toString("hex")}`);
    const problem = await tell(held, socket, path);
    if (problem !== null) return { problem: `${held.target} (process ${held.pid}) cannot be asked beside ${socket}: ${problem}` };
    upstream[socket] = path;
  }
  return { upstream };
}

/** The process is asked from outside alone again, and removes its socket. One that has ended has nothing to close. */
export function stopInside(held: Pick<HeldProcess, "say">, sockets: readonly string[]): void {
  for (const socket of sockets) held.say({ kind: "serve", socket, path: null });
}

async function tell(held: HeldProcess, socket: string, path: string): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const answered = held.hear((word): word is Serving => word.kind === "serving" && word.socket === socket && word.path === path).then(({ problem }) => problem);
  held.say({ kind: "serve", socket, path });
  try {
    return await Promise.race([
      answered,
      held.exited.then(() => "it has ended"),
      held.lost.then(() => "what holds its sockets is gone"),
      new Promise<string>((resolve) => (timer = setTimeout(() => resolve("it did not answer"), answerWithinMs))),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
