import { Server as HttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import type { AgentWord } from "@midflight/protocol";
import type { Connections } from "./connections.ts";
import { takeOver } from "./give-away.ts";
import { keepOpen, leaveServer } from "./node-inside.ts";

interface Way {
  readonly server: Server;
  /** Listens on the Unix socket. */
  readonly inner: Server;
  /** The server has no socket of its own any more: this is the only way to it. */
  isOnly: boolean;
}

/** Unix sockets on which the app's servers are asked by a router, beside the sockets that the app opened. */
export class Inside {
  readonly #ways = new Map<string, Way>();
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** @param server null if the app has none on that socket */
  async serve(server: Server | null, { socket, path }: { readonly socket: string; readonly path: string | null }): Promise<AgentWord> {
    this.#end(socket);
    const answer = (problem: string | null): AgentWord => ({ kind: "serving", socket, path, problem });
    if (path === null) return answer(null);
    if (server === null) return answer("no server of the app listens there");
    if (!(server instanceof HttpServer)) return answer("its server speaks something else than plain HTTP/1.1");
    const inner = createServer({ allowHalfOpen: true }, (connection) => {
      this.#connections.addInner(connection);
      leaveServer(connection);
      takeOver(connection, server, this.#connections);
    });
    this.#ways.set(socket, { server, inner, isOnly: false });
    const problem = await new Promise<string | null>((resolve) => {
      inner.once("error", (error) => resolve(error.message));
      inner.listen(path, () => resolve(null));
    });
    // While the app's own socket is open, that says how long the process runs.
    inner.unref();
    return answer(problem);
  }

  /** The router has taken the socket: the process runs on for it, and its server is not closed by its last connection's end. */
  stay(socket: string): void {
    const way = this.#ways.get(socket);
    if (way === undefined || way.isOnly) return;
    way.isOnly = true;
    way.inner.ref();
    keepOpen(way.server, true);
  }

  /** The server has a socket of its own again. */
  leave(socket: string): void {
    const way = this.#ways.get(socket);
    if (way?.isOnly !== true) return;
    way.isOnly = false;
    way.inner.unref();
    keepOpen(way.server, false);
  }

  /** The app closes its server: nobody is to reach it any more. */
  close(server: Server): void {
    for (const [socket, way] of this.#ways) if (way.server === server) this.#end(socket);
  }

  #end(socket: string): void {
    this.leave(socket);
    this.#ways.get(socket)?.inner.close();
    this.#ways.delete(socket);
  }
}
