import {
  encodeEnclosed, encodePack, formatCursor, frameHeaderBytes, maxJsonBytes, MidflightError, paths,
  type Blob, type Digest, type Registry,
} from "@midflight/protocol";
import {
  parseAppendResult, parseBeats, parseDigests, parseDone, parseEntryOrNull, parseNames, parseReadResult, parseReports, readAnswer,
} from "./answers.ts";
import { Connection, type RequestOptions } from "./connection.ts";
import { backOffMs, pause } from "./pause.ts";
import { readPack } from "./read-pack.ts";
import { watch, type WatchEvent, type WatchPlace } from "./watch.ts";

export interface ConnectOptions {
  /** `http://host:port` */
  readonly url: string;
  readonly token: string;
  /**
   * True where waiting for the registry is what the process is there for, as in a command. Default: false; then
   * nothing of the client keeps the process from ending, not even a call that is waited for.
   */
  readonly keepsProcessAlive?: boolean;
  /** How long a request may be without a byte before it is given up. Default: 15,000. */
  readonly silenceMs?: number;
}

export interface RegistryClient extends Registry {
  readonly keepsProcessAlive: boolean;
  /** One connection's events after a place, until aborted; throws when it breaks. `follow` is what most want. */
  watch(channel: string, place: WatchPlace, signal: AbortSignal): AsyncIterable<WatchEvent>;
}

/** The largest blob that a client asks for or takes. */
const maxBlobBytes: number = 64 << 20;
/** Blobs are sent in packs of about this size, so that neither side holds a whole release. */
const uploadBytes: number = 8 << 20;
const digestsPerRequest = 2_000;

/**
 * The registry port over HTTP. No call is made before the first one is asked for. Calls fail with
 * `REGISTRY_UNREACHABLE`, or with what the registry answered; every one of them may be repeated.
 *
 * @throws MidflightError `CONFIG_INVALID` for a url that is none
 */
export function connectRegistry(options: ConnectOptions): RegistryClient {
  const { url, token, keepsProcessAlive = false, silenceMs = 15_000 } = options;
  const connection = new Connection({ url, token, keepsProcessAlive, silenceMs });
  const closing = new AbortController();

  const call = async <T>(request: RequestOptions, parse: (value: unknown) => T): Promise<T> =>
    readAnswer(await connection.json(request), parse, (why) => connection.refused(why));
  const get = <T>(path: string, query: RequestOptions["query"], parse: (value: unknown) => T): Promise<T> =>
    call({ method: "GET", path, ...(query !== undefined && { query }) }, parse);
  const post = async <T>(path: string, value: unknown, parse: (value: unknown) => T): Promise<T> =>
    call({ method: "POST", path, body: { type: "application/json", bytes: encodeJson(value) } }, parse);

  return {
    caps: { durability: "fsync", maxBlobBytes },
    keepsProcessAlive,
    missing: async (digests) => {
      const parts = await inOrder(slices([...new Set(digests)], digestsPerRequest), (part) => post(paths.missing, part, parseDigests));
      return parts.flat();
    },
    putBlobs: async (blobs) => {
      await inOrder(packs(blobs), (part) => call({ method: "POST", path: paths.blobs, body: { type: "application/octet-stream", bytes: encodePack(part) } }, parseDone));
    },
    getBlobs: async (digests) => {
      const parts = await inOrder(slices([...new Set(digests)], digestsPerRequest), (part) => fetchPack(connection, part));
      return parts.flat();
    },
    append: ({ enclosed, ...request }) => post(paths.append, { ...request, ...(enclosed !== undefined && { enclosed: encodeEnclosed(enclosed, encodeBase64) }) }, parseAppendResult),
    head: (channel) => get(paths.head, { channel }, parseEntryOrNull),
    read: (channel, after, limit) => get(paths.log, { channel, limit: Math.max(1, Math.trunc(limit)), after: after === null ? undefined : formatCursor(after) }, parseReadResult),
    entry: (id) => get(paths.entry, { id }, parseEntryOrNull),
    transition: (from, to) => get(paths.transition, { from, to }, parseEntryOrNull),
    channels: () => get(paths.channels, undefined, parseNames),
    onPoke: (channel, poke) => {
      const off = new AbortController();
      const signal = AbortSignal.any([off.signal, closing.signal]);
      void pokeForEver(connection, channel, poke, { signal, keepsProcessAlive });
      return () => off.abort();
    },
    report: async (reports) => {
      await inOrder(slices(reports, 500), (part) => post(paths.reports, part, parseDone));
    },
    reports: ({ channel, release, counter, limit }) => get(paths.reports, { channel, release, counter, limit }, parseReports),
    beat: (beat, ttlMs) => post(paths.presence, { beat, ttlMs }, parseDone),
    presence: (channel) => get(paths.presence, { channel }, parseBeats),
    retain: async () => {
      throw new MidflightError("REGISTRY_REFUSED", { what: "Retention cannot be asked for over the network.", why: "It runs where the registry is." });
    },
    watch: (channel, place, signal) => watch(connection, channel, place, AbortSignal.any([signal, closing.signal])),
    close: async () => {
      closing.abort();
      connection.close();
    },
  };
}

function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function encodeJson(value: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length > maxJsonBytes) {
    throw new MidflightError("OBJECT_TOO_LARGE", { what: `A request of ${bytes.length} bytes is over the limit of ${maxJsonBytes}.`, state: "Nothing was sent.", details: { bytes: bytes.length, limit: maxJsonBytes } });
  }
  return bytes;
}

async function fetchPack(connection: Connection, digests: readonly Digest[]): Promise<Blob[]> {
  if (digests.length === 0) return [];
  const res = await connection.stream({ method: "POST", path: paths.fetch, body: { type: "application/json", bytes: encodeJson(digests) } });
  try {
    return await readPack(res, new Set(digests), maxBlobBytes);
  } catch (cause) {
    throw res.errored === null ? cause : connection.unreachable(cause); // broken off, or malformed
  } finally {
    if (!res.readableEnded) res.destroy();
  }
}

/** A poke per event from now on, and one after each time the connection was away: something may have happened then. */
async function pokeForEver(connection: Connection, channel: string, poke: () => void, options: { readonly signal: AbortSignal; readonly keepsProcessAlive: boolean }): Promise<void> {
  for (let attempt = 0; !options.signal.aborted; attempt++) {
    try {
      for await (const event of watch(connection, channel, { after: "end" }, options.signal)) {
        if (event.kind === "entries" || attempt > 0) poke();
        attempt = 0;
      }
    } catch {
      // away, or refused: tried again for as long as somebody listens
    }
    await pause(backOffMs(attempt), options);
  }
}

function slices<T>(list: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < list.length; at += size) out.push(list.slice(at, at + size));
  return out;
}

function packs(blobs: readonly Blob[]): Blob[][] {
  const out: Blob[][] = [];
  let part: Blob[] = [];
  let bytes = 0;
  for (const blob of blobs) {
    if (blob.bytes.length > maxBlobBytes) {
      throw new MidflightError("OBJECT_TOO_LARGE", { what: `A blob of ${blob.bytes.length} bytes is over the limit of ${maxBlobBytes}.`, state: "Nothing was sent.", details: { digest: blob.digest } });
    }
    const frame = frameHeaderBytes + blob.bytes.length;
    if (part.length > 0 && bytes + frame > uploadBytes) {
      out.push(part);
      part = [];
      bytes = 0;
    }
    part.push(blob);
    bytes += frame;
  }
  if (part.length > 0) out.push(part);
  return out;
}

async function inOrder<T, R>(parts: readonly T[], run: (part: T) => Promise<R>): Promise<R[]> {
  const out: R[] = [];
  for (const part of parts) out.push(await run(part));
  return out;
}
