import { Server } from "node:net";
import { handleOf, openListenHandle, type ListenHandle } from "./node-inside.ts";

/** A server of the app that serves on a socket which the supervisor knows, or will. */
export interface KnownServer {
  readonly server: Server;
  /** The socket's name, see spec/replace.md. */
  readonly socket: string;
  /** False until connections of a given socket may be taken. */
  isAccepting: boolean;
  /** Takes them from now on. */
  accept(): void;
}

export interface ListenHookOptions {
  /** File descriptors of listening sockets that the process was given, by name. Each is used once. */
  readonly given: Map<string, number>;
  /** What `PORT` says; `0` makes the first server that asks for any port the service's. */
  readonly port: string | undefined;
  readonly onListening: (known: KnownServer, isGiven: boolean) => void;
  /** The app closed it. The socket stays: a process that ends closes its servers too, and the next one goes on with it. */
  readonly onClosed: (known: KnownServer) => void;
  /** The app closes a server, known or not. */
  readonly onClose: (server: Server) => void;
  /** The app opens again what it closed. Resolves when the socket is let go everywhere, so that it can be bound. */
  readonly onReopen: (socket: string) => Promise<void>;
}

export interface ListenHook {
  /** Takes no more connections and leaves those that are open alone; `http.Server.close` would end the idle ones, too. */
  stopAccepting(server: Server): void;
  /** Takes them again, on the listening handle that it is given. */
  acceptAgain(server: Server, handle: unknown): void;
  /** Takes the hook back. */
  undo(): void;
}

interface Wish {
  readonly socket: string;
  readonly backlog: number | undefined;
  readonly callback: (() => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

type Listen = (this: Server, ...args: unknown[]) => Server;
type Close = (this: Server, ...args: unknown[]) => Server;

/**
 * Makes `server.listen(…)` use the listening socket that the former process used, if it asks for the same address, and
 * tells of every other that it opens. The app sees no difference.
 */
export function hookListen(options: ListenHookOptions): ListenHook {
  const known = new Map<Server, KnownServer>();
  const closed = new Set<string>();
  const prototype = Server.prototype as unknown as { listen: Listen; close: Close };
  const { listen, close } = prototype;
  let hasAnyPort = false;

  const isOurs = ({ socket }: Wish): boolean => {
    if (!socket.endsWith(":0")) return true;
    if (options.port !== "0" || hasAnyPort) return false;
    hasAnyPort = true;
    return true;
  };

  prototype.listen = function (...args) {
    const wish = readWish(args);
    if (wish === null || !isOurs(wish)) return Reflect.apply(listen, this, args);
    if (closed.delete(wish.socket)) {
      // The port is taken until the supervisor has let it go, too.
      const reopen = async (): Promise<void> => {
        await options.onReopen(wish.socket);
        listenOnOwn(this, args, wish.socket);
      };
      reopen().catch((problem: unknown) => this.emit("error", problem));
      return this;
    }
    const fd = options.given.get(wish.socket);
    const handle = fd === undefined ? null : openListenHandle(fd);
    if (handle === null) return listenOnOwn(this, args, wish.socket);
    options.given.delete(wish.socket);
    return listenOnGiven(this, handle, wish);
  };

  function listenOnOwn(server: Server, args: unknown[], socket: string): Server {
    server.once("listening", () => {
      // A cluster's primary takes the handle away from its server at once; then the workers serve, not this server.
      setImmediate(() => {
        if (handleOf(server) !== null) register({ server, socket, isAccepting: true, accept: () => undefined }, false);
      });
    });
    return Reflect.apply(listen, server, args);
  }

  function listenOnGiven(server: Server, handle: ListenHandle, { socket, backlog, callback, signal }: Wish): Server {
    const start = handle.listen.bind(handle);
    let asked = 511;
    // A server that accepts keeps its process running; this one will.
    const alive = setInterval(() => undefined, 0x7fff_ffff);
    server.once("close", () => clearInterval(alive));
    handle.listen = (length) => {
      asked = length;
      return 0;
    };
    const entry: KnownServer = {
      server, socket, isAccepting: false,
      accept: () => {
        if (entry.isAccepting || handleOf(server) === null) return;
        entry.isAccepting = true;
        clearInterval(alive);
        start(asked);
      },
    };
    server.once("listening", () => register(entry, true));
    if (callback !== undefined) server.once("listening", callback);
    signal?.addEventListener("abort", () => server.close(), { once: true });
    return Reflect.apply(listen, server, backlog === undefined ? [{ handle }] : [{ handle }, backlog]);
  }

  function register(entry: KnownServer, isGiven: boolean): void {
    known.set(entry.server, entry);
    options.onListening(entry, isGiven);
  }

  prototype.close = function (...args) {
    const entry = known.get(this);
    options.onClose(this);
    if (entry !== undefined && handleOf(this) !== null) {
      known.delete(this);
      closed.add(entry.socket);
      options.onClosed(entry);
    }
    return Reflect.apply(close, this, args);
  };

  return {
    stopAccepting: (server) => {
      if (server.listening) Reflect.apply(close, server, []);
    },
    acceptAgain: (server, handle) => {
      if (!server.listening) Reflect.apply(listen, server, [handle]);
    },
    undo: () => {
      prototype.listen = listen;
      prototype.close = close;
    },
  };
}

/** What the app asks for, if it is a TCP port that another process could go on serving. Node's own forms: docs of `net.Server.listen`. */
function readWish(args: readonly unknown[]): Wish | null {
  const last = args.at(-1);
  const callback = typeof last === "function" ? (last as () => void) : undefined;
  const [first, second, third] = args;
  if (typeof first === "object" && first !== null) {
    const given = first as Record<string, unknown>;
    if ("fd" in given || "path" in given || "handle" in given || "_handle" in given || given["reusePort"] === true || given["ipv6Only"] === true) return null;
    return makeWish(given["port"], given["host"], given["backlog"] ?? second, callback, given["signal"]);
  }
  const [host, backlog] = typeof second === "string" ? [second, third] : [undefined, second];
  return makeWish(first, host, backlog, callback, undefined);
}

function makeWish(port: unknown, host: unknown, backlog: unknown, callback: Wish["callback"], signal: unknown): Wish | null {
  const isPort = (typeof port === "number" && Number.isInteger(port)) || (typeof port === "string" && /^\d+$/.test(port));
  if (!isPort || Number(port) < 0 || Number(port) > 65_535) return null;
  return {
    socket: `${typeof host === "string" ? host : ""}:${Number(port)}`,
    backlog: typeof backlog === "number" ? backlog : undefined,
    callback,
    signal: signal instanceof AbortSignal ? signal : undefined,
  };
}
