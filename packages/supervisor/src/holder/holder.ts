import type { ChildProcess, SendHandle } from "node:child_process";
import { Socket } from "node:net";
import { parseAgentWord, type AgentWord, type SupervisorWord } from "@midflight/protocol";
import { HeldSockets, isHeldSocket } from "./held-sockets.ts";
import { probe } from "./probe.ts";
import { SharedSockets } from "./shared-sockets.ts";
import { spawnProcess } from "./spawn-process.ts";
import type { HolderAnswer, HolderRequest, LaunchRequest, OwnDoor, ProbeRequest } from "./words.ts";

interface HeldChild {
  readonly pid: number;
  readonly target: string;
  readonly group: string;
  readonly door: OwnDoor | null;
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
  readonly #shared = new SharedSockets();
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
    const children = [...this.#children.values()].map(({ pid, target, group, door, listening }) => ({ pid, target, group, door, listening: [...listening] }));
    return { kind: "hello", children, sockets: this.#sockets.names() };
  }

  handle(request: HolderRequest): void {
    switch (request.kind) {
      case "launch":
        void this.#launch(request.id, request);
        return;
      case "bind":
        void this.#bind(request);
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
        // What it accepts on again is held here.
        say(child, request.word, request.word.kind === "listen" ? (this.#sockets.of(child.target).get(request.word.socket) as unknown as SendHandle) : undefined);
      }
    }
  }

  async #launch(id: number, request: LaunchRequest): Promise<void> {
    try {
      const sockets = new Map([...this.#sockets.of(request.target), ...this.#shared.of(request.group)]);
      const { process, door } = await spawnProcess(request, sockets);
      this.#keep(id, request, process, process.pid!, door);
    } catch (error) {
      this.#tell({ kind: "failed", id, reason: (error as Error).message });
    }
  }

  async #bind({ id, group, sockets }: Extract<HolderRequest, { readonly kind: "bind" }>): Promise<void> {
    const members = new Set([...this.#children.values()].filter((child) => child.group === group).map(({ target }) => target));
    const adopt = (name: string): ReturnType<HeldSockets["take"]> => [...members].map((target) => this.#sockets.take(target, name)).find((socket) => socket !== undefined);
    try {
      await this.#shared.bind(group, sockets, adopt);
      this.#tell({ kind: "bound", id });
    } catch (error) {
      this.#tell({ kind: "failed", id, reason: (error as Error).message });
    }
  }

  #keep(id: number, { target, group }: LaunchRequest, process: ChildProcess, pid: number, door: OwnDoor | null): void {
    const child: HeldChild = { pid, target, group, door, process, listening: new Set(), heir: null };
    this.#children.set(pid, child);
    process.on("message", (message, carried) => this.#hear(child, message, carried));
    process.once("exit", (code, signal) => {
      this.#children.delete(pid);
      this.#tell({ kind: "exited", pid, code, signal });
    });
    this.#tell({ kind: "launched", id, pid, target, group, door });
  }

  #hear(child: HeldChild, message: unknown, carried: unknown): void {
    const word = readWord(message);
    if (word === null) return;
    switch (word.kind) {
      case "listening":
        if (!word.isGiven && isHeldSocket(carried)) this.#sockets.put(child.target, word.socket, carried);
        child.listening.add(word.socket);
        break;
      case "closed":
        child.listening.delete(word.socket);
        this.#sockets.letGo(child.target, word.socket);
        this.#shared.letGo(child.group, word.socket);
        say(child, { kind: "let-go", socket: word.socket });
        break;
      case "connection":
        this.#passOn(child, word.socket, carried);
        return;
      case "serving":
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
