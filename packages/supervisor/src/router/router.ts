import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { bringsBody, mayChange, originForm, refusalOf } from "./fields.ts";
import { forward, refuse } from "./forward.ts";
import { pinCookie, readPin } from "./pin.ts";
import { chooseSide, type Choice, type RouterTable, type Side } from "./table.ts";
import { tunnel } from "./tunnel.ts";
import { Upstreams } from "./upstreams.ts";
import type { RouterCounts } from "./words.ts";

/** How long a connection may stay idle; longer than load balancers keep theirs, so that these end first. In ms. */
const idleMs = 75_000;

/** Sends each request to one side, as the table says. */
export class Router {
  readonly #upstreams = new Upstreams();
  readonly #endless: Record<Side, number> = { blue: 0, green: 0 };
  readonly #begun: Record<Side, number> = { blue: 0, green: 0 };
  #table: RouterTable;

  constructor(table: RouterTable) {
    this.#table = table;
  }

  /** Requests that are under way end where they began. */
  route(table: RouterTable): void {
    this.#table = table;
    this.#upstreams.forget(table);
  }

  settled(side: Side): Promise<void> {
    return this.#upstreams.settled(side);
  }

  get counts(): RouterCounts {
    return { underWay: this.#upstreams.underWay, endless: { ...this.#endless }, begun: { ...this.#begun } };
  }

  /** A server for a public socket of this name. */
  serve(socket: string): Server {
    const server = http.createServer({ keepAliveTimeout: idleMs, requestTimeout: 0, insecureHTTPParser: false, shouldUpgradeCallback: mayChange }, (request, response) => void this.#answer(socket, request, response));
    server.on("upgrade", (request, client: Duplex, head) => void this.#change(socket, request, client, head));
    return server;
  }

  async #answer(socket: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusalOf(request);
    if (refusal !== null) return refuse(response, refusal);
    const table = this.#table;
    const choice = this.#choose(table, request);
    const reach = choice === null ? null : this.#upstreams.next(table, choice.side, socket);
    if (choice === null || reach === null) return refuse(response, 503);
    const { side } = reach;
    let leave = this.#enter(side);
    this.#begun[side] += 1;
    const onStream = (): void => {
      leave();
      this.#endless[side] += 1;
      leave = () => (this.#endless[side] -= 1);
    };
    try {
      await forward({ request, response, path: originForm(request.url!)!, pin: pinOf(table, choice), again: () => this.#upstreams.next(this.#table, side, socket), onStream }, reach);
    } finally {
      leave();
    }
  }

  #enter(side: Side): () => void {
    this.#upstreams.begin(side);
    return () => this.#upstreams.end(side);
  }

  async #change(socket: string, request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    // Only a Node that knows no `shouldUpgradeCallback` comes here with it, and the body is nowhere then.
    if (bringsBody(request)) return void client.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n");
    if (refusalOf(request) !== null) return void client.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    const table = this.#table;
    const choice = this.#choose(table, request);
    const reach = choice === null ? null : this.#upstreams.next(table, choice.side, socket);
    if (choice === null || reach === null) return void client.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n");
    this.#endless[reach.side] += 1;
    try {
      await tunnel(request, client, head, { path: reach.path, target: originForm(request.url!)! }, pinOf(table, choice));
    } finally {
      this.#endless[reach.side] -= 1;
    }
  }

  #choose(table: RouterTable, { headers }: IncomingMessage): Choice | null {
    return chooseSide(table, table.isSticky ? readPin(table, headers.cookie) : null, Math.random());
  }
}

function pinOf(table: RouterTable, { side, isNew }: Choice): string | null {
  return isNew ? pinCookie(table, side) : null;
}
