import { spawn } from "node:child_process";
import fs from "node:fs";
import net, { type Socket } from "node:net";
import { createRequire } from "node:module";
import { MidflightError, type AgentWord, type SupervisorWord } from "@midflight/protocol";
import { openLogFile } from "../log-file.ts";
import { readLines } from "../read-lines.ts";
import type { Exit } from "../exit.ts";
import type { SupervisorPaths } from "../service.ts";
import { holderAddress } from "./holder-address.ts";
import { programOf } from "./program.ts";
import type { HeldFacts, HolderAnswer, HolderRequest, HolderStart, LaunchRequest, OwnDoor, ProbeRequest } from "./words.ts";

/** A process that the holder is the parent of. */
export interface HeldProcess {
  readonly pid: number;
  readonly target: string;
  /** The service that it is a process of. */
  readonly group: string;
  /** Where a process without an agent is asked; null for others. */
  readonly door: OwnDoor | null;
  readonly exited: Promise<Exit>;
  /** The holder is gone: what the process does is told no more. */
  readonly lost: Promise<void>;
  /** Names of the sockets that its servers listen on, as far as they have said. */
  readonly listening: ReadonlySet<string>;
  /** @param heir takes the connections that it gives away from now on */
  say(word: SupervisorWord, heir?: HeldProcess): void;
  /** The next word that fits. Never, if the process ends before. */
  hear<W extends AgentWord>(fits: (word: AgentWord) => word is W): Promise<W>;
  /** Asks it over a connection of its own, on one of the sockets that it listens on. @throws Error with the reason */
  probe(question: Omit<ProbeRequest, "pid">): Promise<{ readonly status: number; readonly body: string }>;
}

/** The process that holds a host's listening sockets and starts its processes. */
export interface Holder {
  /** @throws MidflightError `PROCESS_EXITED` if it cannot be started */
  launch(request: LaunchRequest): Promise<HeldProcess>;
  /** Opens the sockets that all processes of a group share, as far as they are not open, and lets others of it go. @throws MidflightError `PORT_IN_USE` */
  bind(group: string, sockets: readonly string[]): Promise<void>;
  /** How many processes of a group run. */
  running(group: string): number;
  find(pid: number): HeldProcess | null;
  /** Names of the sockets that it holds for a target. */
  sockets(target: string): readonly string[];
  /** Lets all sockets of a target go but these. */
  keep(target: string, sockets: readonly string[]): void;
  /** False once it was lost: what runs goes on, but cannot hand its sockets over any more. */
  readonly isThere: boolean;
  /** The holder stays as long as it has processes. */
  close(): void;
}

const startWithinMs = 15_000;

/**
 * Finds the holder that an earlier supervisor left, with its processes, or starts one. One of another edition is succeeded by one of
 * this; if that fails, it goes on.
 * @param inherited how many listening sockets this process has from descriptor 3 on; one that is started gets them
 * @throws MidflightError `INTERNAL`
 */
export async function openHolder(paths: Pick<SupervisorPaths, "root" | "log">, edition: string = ownEdition, inherited = 0): Promise<Holder> {
  const address = holderAddress(paths.root);
  const deadline = performance.now() + startWithinMs;
  let isStarted = false;
  for (;;) {
    const holder = await find(address);
    if (holder !== null) {
      const isOurs = holder.edition === edition;
      const isFollowed = !isOurs && (await holder.succeed({ edition, ...programOf("main") }));
      if (!isFollowed && holder.isThere) return holder;
      holder.close();
    } else if (!isStarted) {
      startHolder(address, edition, paths.log("holder"), inherited);
      isStarted = true;
    }
    if (performance.now() > deadline) throw new MidflightError("INTERNAL", { what: "The process that holds the sockets did not start.", why: `see ${paths.log("holder")}` });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One that was killed may answer once more, by what had connected before. */
async function find(address: string): Promise<HolderConnection | null> {
  const socket = await tryConnect(address);
  const holder = socket === null ? null : await meet(socket);
  return holder?.isThere === true ? holder : null;
}

const ownEdition: string = (createRequire(import.meta.url)("../../package.json") as { readonly version: string }).version;

function startHolder(address: string, edition: string, logPath: string, inherited: number): void {
  const { main, nodeArgs } = programOf("main");
  const log = fs.openSync(openLogFile(logPath).path, "a", 0o640);
  // Away from the project's directory, which may be removed, and out of the terminal's reach.
  spawn(process.execPath, [...nodeArgs, main, address, edition, ...(inherited > 0 ? [`inherit=${inherited}`] : [])], {
    detached: true, stdio: ["ignore", log, log, ...Array.from({ length: inherited }, (_, index) => 3 + index)], cwd: "/",
  }).unref();
  fs.closeSync(log);
}

function tryConnect(address: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });
}

async function meet(socket: Socket): Promise<HolderConnection> {
  const connection = new HolderConnection(socket);
  await connection.met.promise;
  return connection;
}

class HolderConnection implements Holder {
  readonly met: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #socket: Socket;
  readonly #processes = new Map<number, Held>();
  readonly #launched = new Map<number, Held>();
  readonly #sockets = new Map<string, Set<string>>();
  readonly #waiting = new Map<number, (answer: HolderAnswer) => void>();
  /** Of the holder, as it says. */
  edition = "";
  #asked = 0;
  #isThere = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.tell({ kind: "hello" });
    readLines(socket, (line) => this.#take(JSON.parse(line) as HolderAnswer));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#isThere = false;
      for (const answer of this.#waiting.values()) answer({ kind: "failed", id: 0, reason: "the process that holds the sockets was lost" });
      // Whether its processes still run is now seen by looking, as with those of a supervisor before.
      for (const held of this.#processes.values()) held.gone.resolve();
      this.met.resolve();
    });
  }

  get isThere(): boolean {
    return this.#isThere;
  }

  async launch(request: LaunchRequest): Promise<HeldProcess> {
    const answer = await this.#ask({ kind: "launch", id: ++this.#asked, ...request });
    if (answer.kind === "launched") {
      // One that ended at once is among the processes no more.
      const held = this.#launched.get(answer.id)!;
      this.#launched.delete(answer.id);
      return held;
    }
    throw new MidflightError("PROCESS_EXITED", { what: `${request.file} could not be started.`, why: answer.kind === "failed" ? answer.reason : answer.kind });
  }

  async bind(group: string, sockets: readonly string[]): Promise<void> {
    const answer = await this.#ask({ kind: "bind", id: ++this.#asked, group, sockets });
    if (answer.kind !== "failed") return;
    throw new MidflightError("PORT_IN_USE", {
      what: `The sockets of ${group} could not be opened.`, why: answer.reason, state: "its processes do not run.", fix: ["end what uses the port, or name another one in `listen`"],
    });
  }

  /** False if it could not be. */
  async succeed(start: HolderStart): Promise<boolean> {
    return (await this.#ask({ kind: "succeed", id: ++this.#asked, ...start })).kind === "succeeded";
  }

  running(group: string): number {
    return [...this.#processes.values()].filter((held) => held.group === group).length;
  }

  find(pid: number): HeldProcess | null {
    return this.#processes.get(pid) ?? null;
  }

  sockets(target: string): readonly string[] {
    return this.#isThere ? [...(this.#sockets.get(target) ?? [])] : [];
  }

  keep(target: string, sockets: readonly string[]): void {
    for (const socket of this.sockets(target)) if (!sockets.includes(socket)) this.#sockets.get(target)?.delete(socket);
    this.tell({ kind: "keep", target, sockets });
  }

  close(): void {
    this.#socket.destroy();
  }

  tell(request: HolderRequest): void {
    if (this.#isThere) this.#socket.write(`${JSON.stringify(request)}\n`);
  }

  async probe(question: ProbeRequest): Promise<{ status: number; body: string }> {
    const answer = await this.#ask({ kind: "probe", id: ++this.#asked, ...question });
    if (answer.kind === "probed") return { status: answer.status, body: answer.body };
    throw new Error(answer.kind === "failed" ? answer.reason : answer.kind);
  }

  async #ask(request: Extract<HolderRequest, { readonly id: number }>): Promise<HolderAnswer> {
    if (!this.#isThere) return { kind: "failed", id: request.id, reason: "the process that holds the sockets was lost" };
    const answered = new Promise<HolderAnswer>((resolve) => this.#waiting.set(request.id, resolve));
    this.tell(request);
    const answer = await answered;
    this.#waiting.delete(request.id);
    return answer;
  }

  #take(answer: HolderAnswer): void {
    switch (answer.kind) {
      case "hello":
        this.edition = answer.edition;
        for (const [target, names] of Object.entries(answer.sockets)) this.#sockets.set(target, new Set(names));
        for (const facts of answer.children) this.#processes.set(facts.pid, new Held(this, facts));
        this.met.resolve();
        return;
      case "launched":
      case "bound":
      case "succeeded":
      case "probed":
      case "failed":
        if (answer.kind === "launched") {
          const held = new Held(this, { ...answer, listening: [] });
          this.#processes.set(answer.pid, held);
          this.#launched.set(answer.id, held);
        }
        this.#waiting.get(answer.id)?.(answer);
        return;
      case "heard":
        this.#hear(answer.pid, answer.word);
        return;
      case "lost":
        this.#processes.get(answer.pid)?.gone.resolve();
        return;
      case "exited":
        this.#processes.get(answer.pid)?.ended.resolve({ code: answer.code, signal: answer.signal });
        this.#processes.delete(answer.pid);
    }
  }

  #hear(pid: number, word: AgentWord): void {
    const held = this.#processes.get(pid);
    if (held === undefined) return;
    if (word.kind === "listening") {
      held.listening.add(word.socket);
      const names = this.#sockets.get(held.target) ?? new Set();
      this.#sockets.set(held.target, names.add(word.socket));
    } else if (word.kind === "closed") {
      held.listening.delete(word.socket);
      this.#sockets.get(held.target)?.delete(word.socket);
    }
    held.heard(word);
  }
}

class Held implements HeldProcess {
  readonly pid: number;
  readonly target: string;
  readonly group: string;
  readonly door: OwnDoor | null;
  readonly listening: Set<string>;
  readonly ended: PromiseWithResolvers<Exit> = Promise.withResolvers();
  readonly gone: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #connection: HolderConnection;
  readonly #listeners = new Set<(word: AgentWord) => void>();

  constructor(connection: HolderConnection, { pid, target, group, door, listening }: HeldFacts) {
    this.#connection = connection;
    this.pid = pid;
    this.target = target;
    this.group = group;
    this.door = door;
    this.listening = new Set(listening);
  }

  get exited(): Promise<Exit> {
    return this.ended.promise;
  }

  get lost(): Promise<void> {
    return this.gone.promise;
  }

  say(word: SupervisorWord, heir?: HeldProcess): void {
    this.#connection.tell({ kind: "say", pid: this.pid, word, heir: heir?.pid ?? null });
  }

  hear<W extends AgentWord>(fits: (word: AgentWord) => word is W): Promise<W> {
    return new Promise((resolve) => {
      const listener = (word: AgentWord): void => {
        if (!fits(word)) return;
        this.#listeners.delete(listener);
        resolve(word);
      };
      this.#listeners.add(listener);
    });
  }

  heard(word: AgentWord): void {
    for (const listener of this.#listeners) listener(word);
  }

  probe(question: Omit<ProbeRequest, "pid">): Promise<{ status: number; body: string }> {
    return this.#connection.probe({ pid: this.pid, ...question });
  }
}
