import type { ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import type { ServerHttp2Session } from "node:http2";
import { isEventStream } from "../runtime/http-requests.ts";
import { wait } from "../wait.ts";
import { answerOf } from "./node-inside.ts";

/** Over how long the ends of streams and sockets are spread, so that their clients do not all come back at once. In ms. */
export const spreadMs = 500;

/** The close frame of RFC 6455 §5.5.1 with status 1012, "service restart". A server's frames are not masked. */
const closeFrame: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xf4]);

/** What a server holds open without end: known from its events, because later nothing tells them apart. */
export class Endless {
  readonly #webSockets = new Map<Socket, Server>();
  readonly #sessions = new Map<ServerHttp2Session, Server>();

  /** Watches a server. A listener for `upgrade` would change what the server does, so its events are looked at instead. */
  watch(server: Server): void {
    server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.set(session, server);
      session.once("close", () => this.#sessions.delete(session));
    });
    let isWatched = false;
    const watchUpgrades = (): void => {
      if (isWatched) return;
      isWatched = true;
      const seen = (first: unknown, second: unknown): void => this.#see(server, first, second);
      const emit = Reflect.get(server, "emit") as (...args: unknown[]) => boolean;
      Object.defineProperty(server, "emit", {
        configurable: true, writable: true,
        value: function (this: Server, ...args: unknown[]) {
          if (args[0] === "upgrade") seen(args[1], args[2]);
          return Reflect.apply(emit, this, args);
        },
      });
    };
    if (server.listenerCount("upgrade") > 0) watchUpgrades();
    else server.on("newListener", (event) => event === "upgrade" && watchUpgrades());
  }

  #see(server: Server, request: unknown, socket: unknown): void {
    const { headers } = request as { readonly headers?: { readonly upgrade?: string } };
    if (headers?.upgrade?.toLowerCase() !== "websocket") return;
    this.#webSockets.set(socket as Socket, server);
    (socket as Socket).once("close", () => this.#webSockets.delete(socket as Socket));
  }

  /** A connection without an end to wait for. */
  has(socket: Socket): boolean {
    const answer = answerOf(socket);
    return this.#webSockets.has(socket) || (answer !== null && isEventStream(answer));
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Tells the clients of WebSockets to connect again. They answer with a close frame of their own, and the connection ends. */
  async closeWebSockets(signal: AbortSignal): Promise<void> {
    const open = [...this.#webSockets.keys()];
    for (const socket of open) {
      if (signal.aborted) return;
      this.#webSockets.delete(socket);
      if (socket.writable) socket.write(closeFrame);
      await wait(spreadMs / open.length, signal);
    }
  }

  /**
   * RFC 9113 §6.8: first a GOAWAY that refuses nothing, so that clients open their next streams elsewhere, and a PING. Its
   * acknowledgement says that the client has read the GOAWAY, and that all it sent before has arrived: then comes the real
   * one, which no stream can cross. Clients that end their side when they have nothing open do not acknowledge any more, as
   * that of Node: they get `lingerMs`. Streams that are open go on to their end.
   */
  async closeSessions(lingerMs: number, signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(async (session) => {
      if (session.closed || session.destroyed) return;
      session.goaway(0, 2 ** 31 - 1);
      await Promise.race([acknowledged(session), wait(lingerMs, signal)]);
      if (!session.closed && !session.destroyed) session.close();
    }));
  }
}

/** Resolves with the client's answer to a PING, or when the session is over. */
function acknowledged(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once("close", resolve);
    try {
      if (!session.ping(() => resolve())) resolve();
    } catch {
      // It is being destroyed.
      resolve();
    }
  });
}

/** Ends event streams (WHATWG HTML §9.2). `retry` is taken at its own line; an event that is not whole is dropped by clients. */
export async function endEventStreams(answers: readonly ServerResponse[], signal: AbortSignal): Promise<void> {
  for (const [index, answer] of answers.entries()) {
    if (signal.aborted) return;
    // The app may write once more before it learns of the end, and must not die of that.
    answer.on("error", () => undefined);
    if (!answer.writableEnded) {
      answer.write(`retry: ${100 + Math.round((index * spreadMs) / answers.length)}\n`);
      answer.end();
    }
    await wait(spreadMs / answers.length, signal);
  }
}
