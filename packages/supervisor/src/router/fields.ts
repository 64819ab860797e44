import type { IncomingMessage } from "node:http";
import { withoutPin } from "./pin.ts";

/** RFC 9110 §7.6.1, and what older clients send. `Expect` is answered by the server that reads it. */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings", "proxy-authenticate", "proxy-authorization", "expect"]);

/** Name and value in turns, as `rawHeaders`, without what ends at this hop. */
function endToEnd(raw: readonly string[]): string[] {
  const named = new Set<string>();
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() === "connection") for (const token of raw[i + 1]!.split(",")) named.add(token.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    // Whoever lets `Connection` name a field that frames or routes the message would change what it says.
    if (hopByHop.has(name) || (named.has(name) && name !== "host" && name !== "content-length")) continue;
    kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/** Status of the answer to a request that is not sent on; null for one that is. */
export function refusalOf({ rawHeaders, headers, url }: Pick<IncomingMessage, "rawHeaders" | "headers" | "url">): 400 | 501 | null {
  // RFC 9112 §3.2: who names two hosts means two things. Node keeps the first.
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length;
  if (hosts > 1 || originForm(url ?? "") === null) return 400;
  // RFC 9112 §6.1: other codings end at this hop as well, and nobody has undone them.
  return (headers["transfer-encoding"] ?? "chunked").trim().toLowerCase() === "chunked" ? null : 501;
}

/** What is sent on of a request's fields. */
export function requestFields({ rawHeaders, headers, socket }: IncomingMessage): string[] {
  const fields: string[] = [];
  const passed: string[] = [];
  const kept = endToEnd(rawHeaders);
  for (let i = 0; i < kept.length; i += 2) {
    const [name, value] = [kept[i]!, kept[i + 1]!];
    switch (name.toLowerCase()) {
      case "x-forwarded-for":
        passed.push(value);
        break;
      case "cookie": {
        const rest = withoutPin(value);
        if (rest !== null) fields.push(name, rest);
        break;
      }
      default:
        fields.push(name, value);
    }
  }
  fields.push("X-Forwarded-For", [...passed, socket.remoteAddress ?? "unknown"].join(", "));
  if (headers["x-forwarded-proto"] === undefined) fields.push("X-Forwarded-Proto", "http");
  if (headers["x-forwarded-host"] === undefined && headers.host !== undefined) fields.push("X-Forwarded-Host", headers.host);
  return fields;
}

/** What is sent back of an answer's fields, with the pin for one who has none. */
export function responseFields(raw: readonly (Buffer | string)[], pin: string | null): string[] {
  const fields = endToEnd(raw.map((part) => (typeof part === "string" ? part : part.toString("latin1"))));
  if (pin !== null) fields.push("Set-Cookie", pin);
  return fields;
}

export function bringsBody({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Whether an offer to change the protocol is passed on. Nobody has to take one (RFC 9110 §7.8). HTTP/2 would bring many requests
 * past the router, and what has a body is a request first; some clients offer HTTP/2 with their first request of any kind.
 */
export function mayChange({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return !bringsBody({ headers }) && !/(^|[\s,])h2c?\b/i.test(headers.upgrade ?? "");
}

/** The path and query of a request's target; null for one that names none (RFC 9112 §3.2: authority form, asterisk form). */
export function originForm(target: string): string | null {
  if (target.startsWith("/")) return target;
  if (!/^https?:\/\//i.test(target)) return null;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, "");
  return path.startsWith("/") ? path : `/${path}`;
}
