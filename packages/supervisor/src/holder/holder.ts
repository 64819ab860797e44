import { spawn, type ChildProcess, type SendHandle } from "node:child_process";
import fs from "node:fs";
import { Socket } from "node:net";
import { givenSocketsVariable, parseAgentWord, type AgentWord, type SupervisorWord } from "@midflight/protocol";
import { HeldSockets, type HeldSocket } from "./held-sockets.ts";
import { probe } from "./probe.ts";
import type { HolderAnswer, HolderRequest, LaunchRequest, ProbeRequest } from "./words.ts";

interface HeldChild {
  readonly pid: number;
  readonly target: string;
  readonly process: ChildProcess;
  readonly listening: Set<string>;
  heir: number | null;
}

/**
 * Holds the listening sockets of a host's processes, and is their parent, so that neither is lost with the supervisor. It
 * decides nothing. It never accepts a connection.
 */
export class Holder {
  readonly #sockets = new HeldSockets();
  readonly #children = new Map<number, HeldChild>();
  readonly #tell: (answer: HolderAnswer) => void;

  /** @param tell told all that happens; nobody may be there to hear it */
  constructor(tell: (answer: HolderAnswer) => void) {
    this.#tell = tell;
  }

  get isIdle(): boolean {
    return this.#children.size === 0;
  }

  hello(): HolderAnswer {
    const children = [...this.#children.values()].map(({ pid, target, listening }) => ({ pid, target, listening: [...listening] }));
    return { kind: "hello", children, sockets: this.#sockets.names() };
  }

  handle(request: HolderRequest): void {
    switch (request.kind) {
      case "launch":
        this.#launch(request.id, request);
        return;
      case "probe":
        void this.#probe(request.id, request);
        return;
      case "keep":
        this.#sockets.keep(request.target, request.sockets);
        return;
      case "say": {
        const child = this.#children.get(request.pid);
        if (child === undefined) return;
        child.heir = request.heir ?? child.heir;
        say(child, request.word);
      }
    }
  }

  #launch(id: number, request: LaunchRequest): void {
    let log: number | null = null;
    try {
      log = fs.openSync(request.logPath, "a", 0o640);
      const sockets = request.hasLine ? [...this.#sockets.of(request.target)] : [];
      const given = Object.fromEntries(sockets.map(([name], index) => [name, 4 + index]));
      const process = spawn(request.file, request.args, {
        cwd: request.directory,
        env: { ...request.env, ...(request.hasLine ? { [givenSocketsVariable]: JSON.stringify(given) } : {}) },
        // A group of its own: a Ctrl-C in the terminal reaches nobody but the one who is to end it.
        detached: true,
        stdio: ["ignore", log, log, ...(request.hasLine ? ["ipc" as const] : []), ...sockets.map(([, socket]) => socket.fd)],
      });
      process.once("error", (error) => process.pid === undefined && this.#tell({ kind: "failed", id, reason: error.message }));
      if (process.pid !== undefined) this.#keep(id, request.target, process, process.pid);
    } catch (error) {
      this.#tell({ kind: "failed", id, reason: (error as Error).message });
    } finally {
      if (log !== null) fs.closeSync(log);
    }
  }

  #keep(id: number, target: string, process: ChildProcess, pid: number): void {
    const child: HeldChild = { pid, target, process, listening: new Set(), heir: null };
    this.#children.set(pid, child);
    process.on("message", (message, carried) => this.#hear(child, message, carried));
    process.once("exit", (code, signal) => {
      this.#children.delete(pid);
      this.#tell({ kind: "exited", pid, code, signal });
    });
    this.#tell({ kind: "launched", id, pid, target });
  }

  #hear(child: HeldChild, message: unknown, carried: unknown): void {
    const word = readWord(message);
    if (word === null) return;
    switch (word.kind) {
      case "listening":
        if (!word.isGiven && isListeningHandle(carried)) this.#sockets.put(child.target, word.socket, carried);
        child.listening.add(word.socket);
        break;
      case "closed":
        child.listening.delete(word.socket);
        this.#sockets.letGo(child.target, word.socket);
        say(child, { kind: "let-go", socket: word.socket });
        break;
      case "connection":
        this.#passOn(child, word.socket, carried);
        return;
      case "drained":
    }
    this.#tell({ kind: "heard", pid: child.pid, word });
  }

  #passOn(child: HeldChild, socket: string, connection: unknown): void {
    // What else a process sends along must not end the one that holds the sockets of all.
    if (!(connection instanceof Socket)) return;
    // Node has begun to read it; what the client says belongs to the next process.
    (Reflect.get(connection, "_handle") as { readStop?(): number } | null)?.readStop?.();
    const heir = child.heir === null ? undefined : this.#children.get(child.heir);
    if (heir === undefined || !say(heir, { kind: "connection", socket }, connection)) connection.destroy();
  }

  async #probe(id: number, { pid, socket, path, isSecure, timeoutMs }: ProbeRequest): Promise<void> {
    try {
      const child = this.#children.get(pid);
      if (child === undefined) throw new Error("the process has ended");
      this.#tell({ kind: "probed", id, ...(await probe({ path, isSecure, timeoutMs }, (connection) => say(child, { kind: "connection", socket }, connection))) });
    } catch (error) {
      this.#tell({ kind: "failed", id, reason: (error as Error).message });
    }
  }
}

function say({ process }: HeldChild, word: SupervisorWord, carried?: SendHandle): boolean {
  if (!process.connected) return false;
  process.send({ midflight: word }, carried, {}, () => undefined);
  return true;
}

/** Null for what the app itself sends to whoever started it. */
function readWord(message: unknown): AgentWord | null {
  try {
    return parseAgentWord((message as { readonly midflight?: unknown }).midflight);
  } catch {
    return null;
  }
}

function isListeningHandle(value: unknown): value is HeldSocket {
  return typeof value === "object" && value !== null && typeof (value as HeldSocket).fd === "number" && (value as HeldSocket).fd >= 0;
}
