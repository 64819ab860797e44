import { Agent, type IncomingHttpHeaders, request } from "node:http";
import type { Socket } from "node:net";

/** One request of a plan. */
export interface RequestSpec {
  /** Path and query, from the target's root. */
  readonly path: string;
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Uint8Array | object;
  /** The one status that is right. Default: any from 200 to 299. */
  readonly status?: number;
  /** What the same customer does next, once the answer is there and right. It is sent at once. */
  readonly next?: (response: LoadResponse) => RequestSpec | null;
}

export interface LoadResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  text(): string;
  /** Throws when the body is not JSON. */
  json(): unknown;
}

/**
 * How a request failed: no connection, connection lost under way, no complete answer in time,
 * an answer that is not HTTP, a wrong status, a wrong body.
 */
export type FailureKind = "connect" | "reset" | "timeout" | "protocol" | "status" | "body";

export type SendOutcome =
  | { readonly kind: "answered"; readonly response: LoadResponse }
  | { readonly kind: "failed"; readonly failure: FailureKind; readonly message: string };

/** What became of the connections that are kept from request to request. */
export interface KeptConnections {
  readonly opened: number;
  /** Ended by the other side, idle or with an answer: their clients had to connect again. */
  readonly lost: number;
}

export interface Sender {
  readonly kept: KeptConnections;
  send(spec: RequestSpec, isFresh: boolean): Promise<SendOutcome>;
  close(): void;
}

/** A connection that rested longer is not used again. Node's servers close theirs after 5,000 ms. */
const restMs = 2_000;

/** Sends requests to one origin, each exactly once: a lost connection is a failure, never a retry. */
export function createSender(target: URL, timeoutMs: number): Sender {
  const agent = new Agent({ keepAlive: true, scheduling: "fifo", maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1024 });
  const freeSince = new WeakMap<Socket, number>();
  const kept = { opened: 0, lost: 0 };
  const known = new WeakSet<Socket>();
  const endedHere = new WeakSet<Socket>();
  let isClosing = false;
  agent.on("free", (socket: Socket) => void freeSince.set(socket, performance.now()));
  const watch = (socket: Socket): void => {
    if (known.has(socket)) return;
    known.add(socket);
    socket.once("connect", () => {
      kept.opened += 1;
      socket.once("close", () => {
        if (!isClosing && !endedHere.has(socket)) kept.lost += 1;
      });
    });
  };
  // A server may close an idle connection at the very moment it is used again. Asked here and not by a timer, which may
  // be as late as the news of the close; the first in line rested longest.
  const dropRested = (): void => {
    const oldest = performance.now() - restMs;
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) {
        if ((freeSince.get(socket) ?? 0) > oldest) break;
        endedHere.add(socket);
        socket.destroy();
      }
    }
  };
  return {
    kept,
    send: (spec, isFresh) => {
      if (isFresh) return sendOnce(target, spec, false, timeoutMs, () => undefined);
      dropRested();
      return sendOnce(target, spec, agent, timeoutMs, watch);
    },
    close: () => {
      isClosing = true;
      agent.destroy();
    },
  };
}

function sendOnce(target: URL, spec: RequestSpec, agent: Agent | false, timeoutMs: number, onSocket: (socket: Socket) => void): Promise<SendOutcome> {
  return new Promise((resolve) => {
    let isConnected = false;
    let timedOut = false;
    const payload = encodeBody(spec);
    const outgoing = request({
      agent,
      host: target.hostname.replace(/^\[|\]$/g, ""),
      port: target.port,
      path: spec.path,
      method: spec.method ?? "GET",
      headers: { ...payload.headers, ...spec.headers },
    });
    const timer = setTimeout(() => {
      timedOut = true;
      outgoing.destroy();
    }, timeoutMs);
    const settle = (outcome: SendOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      if (timedOut) settle({ kind: "failed", failure: "timeout", message: `no complete answer within ${timeoutMs} ms` });
      else settle({ kind: "failed", failure: kindOf(error, isConnected), message: error.code ?? error.message });
    };

    outgoing.on("socket", (socket) => {
      onSocket(socket);
      if (!socket.connecting) isConnected = true;
      else socket.once("connect", () => (isConnected = true));
    });
    outgoing.on("error", fail);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", fail);
      incoming.on("end", () => settle({ kind: "answered", response: toResponse(incoming.statusCode ?? 0, incoming.headers, chunks) }));
      // Without `end` first, the answer is cut short; `error` came before if there is one to tell.
      incoming.on("close", () => fail(new Error("the answer was cut short")));
    });
    outgoing.end(payload.bytes);
  });
}

function kindOf(error: NodeJS.ErrnoException, isConnected: boolean): FailureKind {
  if (error.code?.startsWith("HPE_") === true) return "protocol";
  return isConnected ? "reset" : "connect";
}

function encodeBody({ body }: RequestSpec): { bytes: string | Uint8Array | undefined; headers: Record<string, string> } {
  if (body === undefined) return { bytes: undefined, headers: {} };
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const bytes = isRaw ? body : JSON.stringify(body);
  const headers: Record<string, string> = { "content-length": String(Buffer.byteLength(bytes)) };
  if (!isRaw) headers["content-type"] = "application/json";
  return { bytes, headers };
}

function toResponse(status: number, headers: IncomingHttpHeaders, chunks: Buffer[]): LoadResponse {
  const body = Buffer.concat(chunks);
  const text = (): string => body.toString("utf8");
  return { status, headers, body, text, json: () => JSON.parse(text()) as unknown };
}
