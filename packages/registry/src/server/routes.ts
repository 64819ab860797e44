import type { IncomingMessage, ServerResponse } from "node:http";
import {
  asArray, asCount, asNumber, asRecord, decodePack, invalid, parseBeat, parseCursor, parseDigest, parseEnclosed, parseReport, paths,
  type AppendRequest, type Cursor, type Digest, type Registry, type TokenRole,
} from "@midflight/protocol";
import { decodeBase64 } from "@midflight/trust";
import { parseChannel } from "../append-request.ts";
import { maxPageEntries } from "../limits.ts";
import { sendJson } from "./answer.ts";
import { readBody, readJson } from "./body.ts";
import type { PackSender } from "./send-pack.ts";
import type { Watchers } from "./watchers.ts";

export interface Call {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
}

export interface Route {
  /** Who may call; the check is done before the body is read. */
  readonly roles: readonly TokenRole[];
  readonly answer: (call: Call) => Promise<void>;
}

const everyone: readonly TokenRole[] = ["reader", "agent", "publisher"];
/** The largest body of an upload: one blob of the largest size, or many small ones. */
const packHeadroomBytes: number = 1 << 20;
const maxDigests = 20_000;

/** Every route by method and path (spec/wire.md). */
export function createRoutes(registry: Registry, watchers: Watchers, packs: PackSender): ReadonlyMap<string, Route> {
  const read = (answer: (query: URLSearchParams) => Promise<unknown>): Route => ({
    roles: everyone,
    answer: async ({ res, query }) => sendJson(res, 200, await answer(query)),
  });
  return new Map<string, Route>([
    [`GET ${paths.head}`, read((query) => registry.head(channelOf(query)))],
    [`GET ${paths.log}`, read((query) => registry.read(channelOf(query), cursorOf(query.get("after")), numberOf(query, "limit") ?? maxPageEntries))],
    [`GET ${paths.entry}`, read((query) => registry.entry(parseDigest(query.get("id"), "id")))],
    [`GET ${paths.transition}`, read((query) => registry.transition(parseDigest(query.get("from"), "from"), parseDigest(query.get("to"), "to")))],
    [`GET ${paths.channels}`, read(() => registry.channels())],
    [`GET ${paths.presence}`, read((query) => registry.presence(channelOf(query)))],
    [`GET ${paths.reports}`, read((query) => {
      const release = query.get("release");
      const counter = numberOf(query, "counter");
      const limit = numberOf(query, "limit");
      return registry.reports({
        channel: channelOf(query),
        ...(release !== null && { release: parseDigest(release, "release") }),
        ...(counter !== null && { counter }),
        ...(limit !== null && { limit }),
      });
    })],
    [`POST ${paths.missing}`, post(everyone, (body) => registry.missing(digestsOf(body)))],
    [`POST ${paths.reports}`, post(["agent"], async (body) => {
      await registry.report(asArray(body, "reports", 1_000).map(parseReport));
      return {};
    })],
    [`POST ${paths.presence}`, post(["agent"], async (body) => {
      const { beat, ttlMs } = asRecord(body, "presence");
      await registry.beat(parseBeat(beat), asNumber(ttlMs, "ttlMs"));
      return {};
    })],
    [`POST ${paths.blobs}`, {
      roles: ["publisher"],
      answer: async ({ req, res }) => {
        const pack = await readBody(req, registry.caps.maxBlobBytes + packHeadroomBytes);
        await registry.putBlobs(decodePack(pack)); // every registry checks the digests of what it stores
        sendJson(res, 200, {});
      },
    }],
    [`POST ${paths.append}`, {
      roles: ["publisher"],
      answer: async ({ req, res }) => {
        // Every registry checks what it is asked to append; the type is only claimed here.
        const body = asRecord(await readJson(req), "append");
        const request = body["enclosed"] === undefined ? body : { ...body, enclosed: parseEnclosed(body["enclosed"], decodeBase64) };
        const result = await registry.append(request as unknown as AppendRequest);
        sendJson(res, { appended: 200, "head-moved": 409, "blobs-missing": 422 }[result.kind], result);
      },
    }],
    [`POST ${paths.fetch}`, { roles: everyone, answer: async ({ req, res }) => packs.send(res, digestsOf(await readJson(req))) }],
    [`GET ${paths.watch}`, {
      roles: everyone,
      answer: async ({ req, res, query }) => {
        const after = req.headers["last-event-id"] ?? query.get("after");
        const place = after === "end" ? "end" : cursorOf(Array.isArray(after) ? (after[0] ?? null) : after);
        await watchers.watch(res, { channel: channelOf(query), after: place, enclosed: query.get("enclosed") === "true" });
      },
    }],
  ]);
}

function post(roles: readonly TokenRole[], answer: (body: unknown) => Promise<unknown>): Route {
  return {
    roles,
    answer: async ({ req, res }) => sendJson(res, 200, await answer(await readJson(req))),
  };
}

function channelOf(query: URLSearchParams): string {
  return parseChannel(query.get("channel"));
}

function digestsOf(body: unknown): Digest[] {
  // Each once: a large blob that is named thousands of times would be sent as often.
  return [...new Set(asArray(body, "digests", maxDigests).map((digest) => parseDigest(digest, "digests")))];
}

function numberOf(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  return text === null ? null : asCount(Number(text), name);
}

function cursorOf(text: string | null): Cursor | null {
  return text === null || text === "" ? null : (parseCursor(text) ?? invalid("after", "a cursor, epoch:seq"));
}
