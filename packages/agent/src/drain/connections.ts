import { subscribe } from "node:diagnostics_channel";
import type { Server as HttpServer, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { answerOf, hasParser, serverOf } from "./node-inside.ts";

/** Every connection that the app's servers took and that is open. It costs something per connection, nothing per request. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** Those that a router opened. */
  readonly #inner = new WeakSet<Socket>();

  constructor() {
    subscribe("net.server.socket", (message) => this.add((message as { readonly socket: Socket }).socket));
  }

  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }

  /** One that came from the router, and not from outside. */
  addInner(socket: Socket): void {
    this.#inner.add(socket);
  }

  isInner(socket: Socket): boolean {
    return this.#inner.has(socket);
  }

  /** From outside, without those that have no end to wait for. */
  outer(endless: (socket: Socket) => boolean): number {
    let count = 0;
    for (const socket of this.#open) if (!this.#inner.has(socket) && !endless(socket)) count++;
    return count;
  }

  /** It was given away: no `close` will follow. */
  forget(socket: Socket): void {
    this.#open.delete(socket);
  }

  get size(): number {
    return this.#open.size;
  }

  of(server: Server): Socket[] {
    return [...this.#open].filter((socket) => serverOf(socket) === server);
  }

  /** Answers that have begun or are awaited. */
  answers(server: Server): ServerResponse[] {
    return this.of(server).flatMap((socket) => answerOf(socket) ?? []);
  }

  /**
   * Connections on which no request is under way, not even a part of one: what `closeIdleConnections` would end, and
   * those that never sent a byte. Node tells only by ending them, so their `destroy` is held while it is asked.
   */
  idle(server: HttpServer): Socket[] {
    const found: Socket[] = [];
    const all = this.of(server);
    for (const socket of all) {
      Object.defineProperty(socket, "destroy", {
        configurable: true,
        value: () => {
          found.push(socket);
          return socket;
        },
      });
    }
    try {
      server.closeIdleConnections();
    } finally {
      for (const socket of all) delete (socket as { destroy?: unknown }).destroy;
    }
    for (const socket of all) if (socket.bytesRead === 0 && !found.includes(socket)) found.push(socket);
    return found.filter(isQuiet);
  }
}

/** Whether one that was idle still is, of which `bytesRead` had been read then: what `idle` asks of all at once costs by their number. */
export function isStillIdle(socket: Socket, bytesRead: number): boolean {
  return socket.bytesRead === bytesRead && isQuiet(socket);
}

function isQuiet(socket: Socket): boolean {
  return !socket.destroyed && answerOf(socket) === null && hasParser(socket) && socket.readableLength === 0 && socket.writableLength === 0;
}
