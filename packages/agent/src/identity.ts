import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { threadId } from "node:worker_threads";
import type { AgentIdentity } from "@midflight/protocol";
import type { AgentConfig } from "./config.ts";

/** Who this agent is. A child process is `target/pid`, a thread is `…#thread`: each runs an agent of its own. */
export function createIdentity(config: AgentConfig): AgentIdentity {
  const name = config.isOwner ? config.target : `${config.target}/${process.pid}`;
  return {
    agent: randomBytes(12).toString("hex"),
    target: threadId === 0 ? name : `${name}#${threadId}`,
    service: config.service,
    host: hostname(),
    pid: process.pid,
    thread: threadId,
    runtime: `node ${process.versions.node}`,
    startedAt: new Date(Date.now() - performance.now()).toISOString(),
  };
}
