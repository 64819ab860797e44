import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Server as HttpServer, type ServerResponse } from "node:http";
import type { DrainedWord, DrainWord } from "@midflight/protocol";
import { isEventStream } from "../runtime/http-requests.ts";
import { wait } from "../wait.ts";
import type { Connections } from "./connections.ts";
import { endEventStreams, type Endless } from "./endless.ts";
import { giveAway } from "./give-away.ts";
import type { Line } from "./line.ts";
import type { KnownServer, ListenHook } from "./listen-hook.ts";

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
  const { connections, endless } = parts;
  const startedAt = performance.now();
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), word.deadlineMs);
  const draining = new Draining(word, parts);
  try {
    void endless.closeWebSockets(overdue.signal);
    void endless.closeSessions(Math.min(lingerMs, word.deadlineMs / 2), overdue.signal);
    while (!overdue.signal.aborted) {
      await draining.look(overdue.signal);
      if (connections.size === 0) break;
      await draining.soon(overdue.signal);
    }
  } finally {
    clearTimeout(timer);
    overdue.abort();
    draining.stop();
  }
  const left = connections.size;
  return { kind: "drained", isSafeToStop: left === 0, tookMs: Math.round(performance.now() - startedAt), handedOver: draining.handedOver, left };
}

class Draining {
  handedOver = 0;
  readonly #heirs: ReadonlySet<string>;
  readonly #parts: DrainParts;
  readonly #startedAt = performance.now();
  readonly #ending = new WeakSet<ServerResponse>();
  #wake: (() => void) | null = null;
  #canGive = true;

  constructor(word: DrainWord, parts: DrainParts) {
    this.#heirs = new Set(word.heirs);
    this.#parts = parts;
    for (const { server } of parts.servers()) parts.hook.stopAccepting(server);
    subscribe(requestStarted, this.#onRequest);
    subscribe(responseFinished, this.#onResponse);
  }

  stop(): void {
    unsubscribe(requestStarted, this.#onRequest);
    unsubscribe(responseFinished, this.#onResponse);
  }

  /** The next answer, or a while. */
  async soon(signal: AbortSignal): Promise<void> {
    await Promise.race([wait(lookMs, signal), new Promise<void>((resolve) => (this.#wake = resolve))]);
    this.#wake = null;
  }

  /** One round over all that is open. */
  async look(signal: AbortSignal): Promise<void> {
    const { servers, connections } = this.#parts;
    for (const known of servers()) {
      const answers = connections.answers(known.server);
      const streams = answers.filter((answer) => isEventStream(answer) && !this.#ending.has(answer));
      for (const stream of streams) this.#ending.add(stream);
      if (streams.length > 0) void endEventStreams(streams, signal);
      if (!this.#isTaken(known) || this.#hasLingered) for (const answer of answers) endAfter(answer);
      if (canTellIdle(known.server)) await this.#settleIdle(known, known.server);
    }
  }

  async #settleIdle(known: KnownServer, server: HttpServer): Promise<void> {
    const { connections, line, onTrouble } = this.#parts;
    if (!this.#isTaken(known)) {
      if (!this.#hasLingered) return;
      if (server instanceof HttpServer) for (const socket of connections.idle(server)) socket.destroy();
      else (server as HttpServer).closeIdleConnections();
      return;
    }
    // One at a time: while one is on its way, another may have begun a request.
    for (let [socket] = connections.idle(server); socket !== undefined; [socket] = connections.idle(server)) {
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
    const known = this.#parts.servers().find((one) => one.server === server);
    if (known !== undefined && (!this.#isTaken(known) || this.#hasLingered)) endAfter(response);
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
