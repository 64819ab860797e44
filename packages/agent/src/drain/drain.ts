import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Server as HttpServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { DrainedWord, DrainWord } from "@midflight/protocol";
import { isEventStream } from "../runtime/http-requests.ts";
import { wait } from "../wait.ts";
import { isStillIdle, type Connections } from "./connections.ts";
import { endEventStreams, type Endless } from "./endless.ts";
import { giveAway } from "./give-away.ts";
import type { Line } from "./line.ts";
import type { KnownServer, ListenHook } from "./listen-hook.ts";
import { serverOf } from "./node-inside.ts";

export interface DrainParts {
  readonly servers: () => readonly KnownServer[];
  readonly hook: Pick<ListenHook, "stopAccepting">;
  readonly connections: Connections;
  readonly endless: Endless;
  readonly line: Line;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** How long a client may use a connection that nobody can take over, before it is ended idle; in ms. */
const lingerMs = 1000;
const lookMs = 20;
const requestStarted = "http.server.request.start";
const responseFinished = "http.server.response.finish";

/**
 * Takes no new connection, lets what runs come to its end, and gives idle connections to the successor, or tells their
 * clients with the next answer that they end. Ends when nothing is open, or at the deadline. The app's code takes no part.
 */
export async function drain(word: DrainWord, parts: DrainParts): Promise<DrainedWord> {
  const { endless } = parts;
  const startedAt = performance.now();
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), word.deadlineMs);
  const draining = new Draining(word, parts);
  try {
    if (word.isStaying !== true) {
      void endless.closeWebSockets(overdue.signal);
      void endless.closeSessions(Math.min(lingerMs, word.deadlineMs / 2), overdue.signal);
    }
    while (!overdue.signal.aborted) {
      await draining.look(overdue.signal);
      if (draining.left === 0) break;
      await draining.soon(overdue.signal);
    }
  } finally {
    clearTimeout(timer);
    overdue.abort();
    draining.stop();
  }
  const { left } = draining;
  return { kind: "drained", isSafeToStop: left === 0, tookMs: Math.round(performance.now() - startedAt), handedOver: draining.handedOver, left };
}

class Draining {
  handedOver = 0;
  readonly #heirs: ReadonlySet<string>;
  readonly #parts: DrainParts;
  readonly #isStaying: boolean;
  readonly #startedAt = performance.now();
  readonly #ending = new WeakSet<ServerResponse>();
  #wake: (() => void) | null = null;
  #canGive = true;

  constructor(word: DrainWord, parts: DrainParts) {
    this.#heirs = new Set(word.heirs);
    this.#parts = parts;
    this.#isStaying = word.isStaying === true;
    for (const { server } of this.#servers()) parts.hook.stopAccepting(server);
    subscribe(requestStarted, this.#onRequest);
    subscribe(responseFinished, this.#onResponse);
  }

  stop(): void {
    unsubscribe(requestStarted, this.#onRequest);
    unsubscribe(responseFinished, this.#onResponse);
  }

  /** What is still waited for. */
  get left(): number {
    const { connections, endless } = this.#parts;
    return this.#isStaying ? connections.outer((socket) => endless.has(socket) || !this.#servers().some(({ server }) => serverOf(socket) === server)) : connections.size;
  }

  /** Those that are to come to an end: all, or those whose outside a router has taken over. */
  #servers(): readonly KnownServer[] {
    const servers = this.#parts.servers();
    return this.#isStaying ? servers.filter(({ socket }) => this.#heirs.has(socket)) : servers;
  }

  /** The next answer, or a while. */
  async soon(signal: AbortSignal): Promise<void> {
    await Promise.race([wait(lookMs, signal), new Promise<void>((resolve) => (this.#wake = resolve))]);
    this.#wake = null;
  }

  /** One round over all that is open. */
  async look(signal: AbortSignal): Promise<void> {
    for (const known of this.#servers()) {
      const answers = this.#parts.connections.answers(known.server);
      if (!this.#isStaying) this.#endStreams(answers, signal);
      for (const answer of answers) if (this.#endsHere(known, answer.socket)) endAfter(answer);
      if (canTellIdle(known.server)) await this.#settleIdle(known, known.server);
    }
  }

  #endStreams(answers: readonly ServerResponse[], signal: AbortSignal): void {
    const streams = answers.filter((answer) => isEventStream(answer) && !this.#ending.has(answer));
    for (const stream of streams) this.#ending.add(stream);
    if (streams.length > 0) void endEventStreams(streams, signal);
  }

  /** The connection is not given away, or not any more: its client is told with the next answer. */
  #endsHere(known: KnownServer, socket: Socket | null): boolean {
    if (socket !== null && this.#parts.connections.isInner(socket)) return !this.#isStaying;
    return !this.#isTaken(known) || this.#hasLingered;
  }

  async #settleIdle(known: KnownServer, server: HttpServer): Promise<void> {
    const { connections, line, onTrouble } = this.#parts;
    const isOuter = (socket: Socket): boolean => !connections.isInner(socket);
    if (this.#hasLingered && !this.#isStaying) for (const socket of connections.idle(server)) if (!isOuter(socket)) socket.destroy();
    if (!this.#isTaken(known)) {
      if (!this.#hasLingered) return;
      if (server instanceof HttpServer) for (const socket of connections.idle(server).filter(isOuter)) socket.destroy();
      else (server as HttpServer).closeIdleConnections();
      return;
    }
    // One at a time: while one is on its way, another may have begun a request.
    const idle = connections.idle(server).filter(isOuter).map((socket) => ({ socket, bytesRead: socket.bytesRead }));
    for (const { socket, bytesRead } of idle) {
      if (!isStillIdle(socket, bytesRead)) continue;
      if (await giveAway(socket, known.socket, line, connections)) {
        this.handedOver += 1;
        continue;
      }
      this.#canGive = false;
      onTrouble("drain", new Error("an idle connection could not be handed over"));
      socket.destroy();
      return;
    }
  }

  get #hasLingered(): boolean {
    return performance.now() - this.#startedAt >= lingerMs;
  }

  /** Only plain HTTP/1.1 can go on in another process: the state of TLS and HTTP/2 is in this one. */
  #isTaken({ server, socket }: KnownServer): boolean {
    return this.#canGive && this.#parts.line.isOpen && this.#heirs.has(socket) && server instanceof HttpServer;
  }

  readonly #onRequest = (message: unknown): void => {
    const { response, server } = message as { readonly response: ServerResponse; readonly server: unknown };
    const known = this.#servers().find((one) => one.server === server);
    if (known !== undefined && this.#endsHere(known, response.socket)) endAfter(response);
  };

  readonly #onResponse = (): void => {
    setImmediate(() => this.#wake?.());
  };
}

/** The connection ends with this answer, and its head says so, if it is not under way yet. */
function endAfter(answer: ServerResponse): void {
  if (!answer.headersSent) answer.shouldKeepAlive = false;
}

/** Servers of node:http and node:https. */
function canTellIdle(server: unknown): server is HttpServer {
  return typeof (server as { closeIdleConnections?: unknown }).closeIdleConnections === "function";
}
