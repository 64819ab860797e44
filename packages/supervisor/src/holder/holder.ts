import type { ChildProcess, SendHandle } from "node:child_process";
import { Socket } from "node:net";
import { parseAgentWord, type AgentWord, type SupervisorWord } from "@midflight/protocol";
import { Elder } from "./elder.ts";
import { HeldSockets, isHeldSocket, type HeldSocket } from "./held-sockets.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import type { ToElder } from "./link.ts";
import { probe } from "./probe.ts";
import { SharedSockets } from "./shared-sockets.ts";
import { spawnProcess } from "./spawn-process.ts";
import { Successor, type PassedSocket } from "./successor.ts";
import type { HeldFacts, HolderAnswer, HolderRequest, HolderStart, LaunchRequest, OwnDoor, ProbeRequest, SuccessorWord } from "./words.ts";

interface HeldChild {
  readonly pid: number;
  readonly target: string;
  readonly group: string;
  readonly door: OwnDoor | null;
  readonly process: ChildProcess;
  readonly listening: Set<string>;
  heir: number | null;
}

export interface HolderOptions {
  /** Which version of midflight it is of. */
  readonly edition: string;
  /** Where supervisors look for it. */
  readonly address: string;
  readonly inherited: InheritedSockets;
  /** Told all that happens; nobody may be there to hear it. */
  readonly tell: (answer: HolderAnswer) => void;
  /** Makes supervisors find this one. */
  readonly publish: () => Promise<void>;
  /** It may have nothing to do any more. */
  readonly onIdle: () => void;
}

/**
 * Holds the listening sockets of a host's processes, and is their parent, so that neither is lost with the supervisor. It
 * decides nothing. It never accepts a connection.
 */
export class Holder {
  readonly #sockets = new HeldSockets();
  readonly #shared = new SharedSockets();
  readonly #children = new Map<number, HeldChild>();
  readonly #options: HolderOptions;
  #elder: Elder | null = null;
  #successor: Successor | null = null;

  constructor(options: HolderOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#children.size === 0 && (this.#elder?.children.length ?? 0) === 0;
  }

  /** A successor has its place: what it does, it does for that one. */
  get isThin(): boolean {
    return this.#successor?.isPublished === true;
  }

  get #facts(): readonly HeldFacts[] {
    const own = [...this.#children.values()].map(({ pid, target, group, door, listening }) => ({ pid, target, group, door, listening: [...listening] }));
    return [...own, ...(this.#elder?.children ?? [])];
  }

  hello(): HolderAnswer {
    return { kind: "hello", edition: this.#options.edition, children: this.#facts, sockets: this.#sockets.names() };
  }

  handle(request: HolderRequest): void {
    switch (request.kind) {
      case "hello":
        this.#options.tell(this.hello());
        return;
      case "launch":
        void this.#launch(request.id, request);
        return;
      case "bind":
        void this.#bind(request);
        return;
      case "succeed":
        void this.#succeed(request.id, request);
        return;
      case "probe":
        if (this.#elder?.has(request.pid) === true) this.#elder.pass(request);
        else void this.#probe(request.id, request);
        return;
      case "keep":
        this.#sockets.keep(request.target, request.sockets);
        this.#elder?.pass(request);
        return;
      case "say": {
        if (this.#elder?.has(request.pid) === true) this.#elder.pass(request);
        const child = this.#children.get(request.pid);
        if (child === undefined) return;
        child.heir = request.heir ?? child.heir;
        // What it accepts on again is held here.
        say(child, request.word, request.word.kind === "listen" ? (this.#sockets.of(child.target).get(request.word.socket) as unknown as SendHandle) : undefined);
      }
    }
  }

  /** Takes the place of the holder that started this one, once it has everything. */
  follow(link: ToElder): void {
    this.#elder = new Elder(link, {
      onSocket: ({ owner, name, isShared }, carried) => isHeldSocket(carried) && (isShared ? this.#shared : this.#sockets).put(owner, name, carried),
      onAll: () => void this.#options.publish().then(() => this.#elder?.published()),
      onConnection: (heir, socket, connection) => this.#handOn(heir, socket, connection),
      onClosed: (target, group, socket) => this.#letGo(target, group, socket),
      tell: (answer) => this.#tell(answer),
      onLost: () => {
        this.#elder = null;
        this.#options.onIdle();
      },
    });
  }

  async #succeed(id: number, start: HolderStart): Promise<void> {
    const successor = new Successor(this.#options.address, start, {
      onWord: (word) => this.#obey(word),
      onLost: () => {
        if (this.#successor !== successor) return;
        this.#successor = null;
        // Its processes are its own; those of this one still have a parent.
        if (successor.isPublished) void this.#options.publish().then(() => this.#options.onIdle());
      },
    });
    this.#successor = successor;
    try {
      await successor.inherit({ sockets: [...passed(this.#sockets, false), ...passed(this.#shared, true)], children: this.#facts });
      this.#options.tell({ kind: "succeeded", id });
      this.#options.onIdle();
    } catch (error) {
      this.#successor = null;
      // It may have been killed after it was found and before it could say so.
      await this.#options.publish();
      this.#tell({ kind: "failed", id, reason: (error as Error).message });
    }
  }

  #obey(word: Exclude<SuccessorWord, { readonly kind: "published" }>): void {
    if (word.kind === "request") this.handle(word.request);
    else {
      this.#shared.keep(word.group, word.sockets);
      this.#elder?.keepShared(word.group, word.sockets);
    }
  }

  /** To the supervisor; to the successor as well, and to it alone when it is the one that supervisors find. */
  #tell(answer: HolderAnswer): void {
    void this.#successor?.say({ kind: "answer", answer });
    if (!this.isThin) this.#options.tell(answer);
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
    const members = new Set(this.#facts.filter((child) => child.group === group).map(({ target }) => target));
    const adopt = (name: string): ReturnType<HeldSockets["take"]> => [...members].map((target) => this.#sockets.take(target, name)).find((socket) => socket !== undefined) ?? this.#options.inherited.take(name);
    try {
      await this.#shared.bind(group, sockets, adopt);
      this.#elder?.keepShared(group, sockets);
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
      this.#options.onIdle();
    });
    this.#tell({ kind: "launched", id, pid, target, group, door });
  }

  #hear(child: HeldChild, message: unknown, carried: unknown): void {
    const word = readWord(message);
    if (word === null) return;
    switch (word.kind) {
      case "listening":
        if (!word.isGiven && isHeldSocket(carried)) this.#hold(child.target, word.socket, carried);
        child.listening.add(word.socket);
        break;
      case "closed":
        child.listening.delete(word.socket);
        this.#letGo(child.target, child.group, word.socket);
        if (this.#successor !== null) void this.#successor.say({ kind: "closed", pid: child.pid, socket: word.socket });
        else say(child, { kind: "let-go", socket: word.socket });
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
    if (child.heir === null) connection.destroy();
    else this.#handOn(child.heir, socket, connection);
  }

  #handOn(pid: number, socket: string, connection: Socket): void {
    stopReading(connection);
    const heir = this.#children.get(pid);
    if (heir !== undefined) {
      if (!say(heir, { kind: "connection", socket }, connection)) connection.destroy();
    } else if (this.isThin) void this.#successor?.say({ kind: "connection", heir: pid, socket }, connection);
    else connection.destroy();
  }

  #hold(target: string, name: string, socket: HeldSocket): void {
    this.#sockets.put(target, name, socket);
    void this.#successor?.say({ kind: "socket", owner: target, name, isShared: false }, socket);
  }

  #letGo(target: string, group: string, socket: string): void {
    this.#sockets.letGo(target, socket);
    this.#shared.letGo(group, socket);
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

function passed(sockets: HeldSockets, isShared: boolean): readonly PassedSocket[] {
  return Object.entries(sockets.names()).flatMap(([owner, names]) => names.map((name) => ({ owner, name, isShared, socket: sockets.of(owner).get(name) })));
}

/** Node has begun to read what it was sent; what the client says belongs to the next process. */
function stopReading(connection: Socket): void {
  (Reflect.get(connection, "_handle") as { readStop?(): number } | null)?.readStop?.();
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
