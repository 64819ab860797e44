import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { heartbeatMs as defaultHeartbeatMs, isMidflightError, MidflightError, paths, type Registry, type TokenRole } from "@midflight/protocol";
import { sendError, sendJson } from "./server/answer.ts";
import { createRoutes } from "./server/routes.ts";
import { PackSender } from "./server/send-pack.ts";
import { createTokenCheck } from "./server/tokens.ts";
import { Watchers } from "./server/watchers.ts";

export interface ServeOptions {
  /** Default: 127.0.0.1. The connection is not encrypted: put a proxy with TLS before any other address. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What each bearer token may do. */
  readonly tokens: Readonly<Record<string, readonly TokenRole[]>>;
  /** How often an event stream shows that it is alive. Default: 15,000. */
  readonly heartbeatMs?: number;
  /** A reader that takes nothing for this long is disconnected. Default: 10,000. */
  readonly stallMs?: number;
  /** Open event streams at once. Default: 4,096. */
  readonly maxWatchers?: number;
  /** Told of failures that callers only see as `INTERNAL`. Default: nobody is. */
  readonly onFailure?: (cause: unknown) => void;
}

export interface RegistryServer {
  /** `http://host:port` */
  readonly url: string;
  /** Ends all connections. The registry itself stays open. Safe to call twice. */
  readonly close: () => Promise<void>;
}

/**
 * Serves a registry over HTTP/1.1 and server-sent events (spec/wire.md).
 * @throws MidflightError `PORT_IN_USE`; `CONFIG_INVALID` for an address that cannot be listened on, or an empty token
 */
export async function serveRegistry(registry: Registry, options: ServeOptions): Promise<RegistryServer> {
  const { host = "127.0.0.1", port, tokens, heartbeatMs = defaultHeartbeatMs, stallMs = 10_000, maxWatchers = 4_096 } = options;
  const rolesOf = createTokenCheck(tokens);
  const watchers = new Watchers(registry, { heartbeatMs, stallMs, maxWatchers });
  const routes = createRoutes(registry, watchers, new PackSender(registry, stallMs));

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { pathname, searchParams: query } = new URL(req.url ?? "/", "http://registry");
    if (req.method === "GET" && pathname === paths.health) {
      sendJson(res, 200, { ok: true });
      return;
    }
    const roles = rolesOf(req.headers.authorization);
    if (roles === null) {
      sendError(req, res, refused("The registry does not know the token.", "The request carried no token, or one that the registry does not know."));
      return;
    }
    const route = routes.get(`${req.method} ${pathname}`);
    if (route === undefined) {
      sendError(req, res, new MidflightError("REGISTRY_REFUSED", `The registry has no ${req.method} ${pathname.slice(0, 100)}.`), 404);
      return;
    }
    if (!roles.some((role) => route.roles.includes(role))) {
      sendError(req, res, refused("The token may not do this.", `${req.method} ${pathname} is for ${route.roles.join(", ")}; the token is of ${roles.join(", ")}.`), 403);
      return;
    }
    await route.answer({ req, res, query });
  };

  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 10_000, requestTimeout: 120_000, maxHeaderSize: 16_384 }, (req, res) => {
    res.on("error", () => undefined); // the reader left; `close` follows
    answer(req, res).catch((cause: unknown) => {
      if (!isMidflightError(cause) && !res.headersSent) options.onFailure?.(cause);
      sendError(req, res, cause);
    });
  });
  try {
    await listen(server, host, port);
  } catch (cause) {
    watchers.close();
    throw cause;
  }
  server.on("error", () => undefined); // a connection that could not be accepted is its caller's to try again
  const address = server.address();
  const actualPort = typeof address === "object" && address !== null ? address.port : port;
  let closing: Promise<void> | null = null;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}`,
    close: () => (closing ??= close(server, watchers)),
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port, backlog: 4_096 });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw isMidflightError(cause) ? cause : cannotListen(host, port, cause);
  }
}

function cannotListen(host: string, port: number, cause: unknown): MidflightError {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (code === "EADDRINUSE") {
    return new MidflightError("PORT_IN_USE", {
      what: `Port ${port} on ${host} is taken.`,
      why: "Another process listens on it, perhaps another midflight.",
      state: "Nothing was started.",
      fix: ["Stop the other process, or choose another port."],
      details: { host, port },
    }, { cause });
  }
  return new MidflightError("CONFIG_INVALID", { what: `The registry cannot listen on ${host}, port ${port}.`, why: code, state: "Nothing was started." }, { cause });
}

async function close(server: Server, watchers: Watchers): Promise<void> {
  watchers.close();
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function refused(what: string, why: string): MidflightError {
  return new MidflightError("TOKEN_REFUSED", { what, why, state: "Nothing was changed." });
}
