import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { encodeEnclosed, formatCursor, maxEnclosedBlobs, maxEnclosedBytes, MidflightError, type Cursor, type Enclosure, type ReadResult, type Registry } from "@midflight/protocol";

export interface WatcherOptions {
  /** A comment line this often shows that the stream is alive. */
  readonly heartbeatMs: number;
  /** A reader that takes nothing for this long is disconnected; it comes back with its cursor. */
  readonly stallMs: number;
  readonly maxWatchers: number;
}

/** Entries read at a time for a stream. */
const pageEntries = 200;
/** Larger pages are not sent in the event: it says only that there is something to read. */
const maxInlineBytes: number = 256 << 10;
/** What the blobs that one append encloses may add to that: base64, and a digest each. */
const maxEnclosedText: number = Math.ceil((maxEnclosedBytes * 4) / 3) + maxEnclosedBlobs * 128;

interface Page {
  readonly result: ReadResult;
  /** One buffer for all that want the same: with what the append had enclosed, or without it. */
  readonly event: (isFull: boolean) => Buffer;
}

export interface WatchRequest {
  readonly channel: string;
  /** "end" begins at the newest entry. */
  readonly after: Cursor | null | "end";
  /** The reader wants what appends have enclosed. */
  readonly enclosed: boolean;
}

/**
 * The event streams of a registry. Each stream holds at most one event beyond what its socket takes: the next page is
 * read only when the last has drained. Streams that stand at the same cursor share one read and one buffer. Enclosed
 * blobs go only to those that stand right before the newest append: one buffer for all of them, and what is dropped
 * for the others is read from the registry.
 */
export class Watchers {
  readonly #registry: Registry;
  readonly #options: WatcherOptions;
  readonly #streams = new Set<ServerResponse>();
  readonly #blocked = new WeakSet<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  /** Pages being read right now, by channel and cursor. */
  readonly #pages = new Map<string, Promise<Page>>();
  /** What the newest append had enclosed, of each channel that is watched. */
  readonly #enclosures = new Map<string, Enclosure>();
  readonly #readers = new Map<string, number>();

  constructor(registry: Registry, options: WatcherOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      for (const res of this.#streams) if (!this.#blocked.has(res)) res.write(":\n\n");
    }, options.heartbeatMs).unref();
  }

  /** Streams until the reader leaves. */
  async watch(res: ServerResponse, { channel, after, enclosed }: WatchRequest): Promise<void> {
    if (this.#streams.size >= this.#options.maxWatchers) {
      throw new MidflightError("REGISTRY_UNREACHABLE", { what: `The registry has ${this.#options.maxWatchers} readers already.`, retryable: true });
    }
    let wake: (() => void) | null = null;
    let isPoked = false;
    const off = this.#registry.onPoke(channel, (enclosure) => {
      this.#pages.clear(); // what was read before the append does not hold it
      if (enclosure !== undefined) this.#enclosures.set(channel, enclosure);
      isPoked = true;
      wake?.();
    });
    const closed = new Promise<void>((resolve) => {
      res.on("close", resolve);
    }).then(() => wake?.());
    this.#streams.add(res);
    this.#readers.set(channel, (this.#readers.get(channel) ?? 0) + 1);
    try {
      let cursor = after === "end" ? await this.#end(channel) : after;
      let isSynced = false;
      res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
      while (!res.destroyed) {
        isPoked = false;
        const { result, event } = await this.#page(channel, cursor);
        cursor = result.next;
        if (result.entries.length > 0 || result.gap) await this.#write(res, event(enclosed));
        if (!result.isEnd) continue;
        if (!isSynced || result.gap) await this.#write(res, encodeEvent("sync", cursor, { next: cursor }));
        isSynced = true;
        if (!isPoked && !res.destroyed) await new Promise<void>((resolve) => (wake = resolve));
      }
      await closed;
    } finally {
      off();
      this.#streams.delete(res);
      const readers = (this.#readers.get(channel) ?? 1) - 1;
      this.#readers.set(channel, readers);
      if (readers === 0) for (const map of [this.#readers, this.#enclosures]) map.delete(channel);
    }
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const res of this.#streams) res.destroy();
  }

  async #end(channel: string): Promise<Cursor> {
    // A cursor that no store has: the answer is a gap and the first page; from there on to the end.
    let page = await this.#registry.read(channel, null, pageEntries);
    while (!page.isEnd) page = await this.#registry.read(channel, page.next, pageEntries);
    return page.next;
  }

  #page(channel: string, cursor: Cursor | null): Promise<Page> {
    const key = `${channel}\n${cursor === null ? "" : formatCursor(cursor)}`;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#registry.read(channel, cursor, pageEntries).then((result) => this.#encode(channel, cursor, result));
    this.#pages.set(key, page);
    // Only what is asked for at the same moment is shared: a page must not outlive retention.
    const forget = (): void => {
      setImmediate(() => {
        if (this.#pages.get(key) === page) this.#pages.delete(key);
      });
    };
    page.then(forget, forget);
    return page;
  }

  #encode(channel: string, cursor: Cursor | null, result: ReadResult): Page {
    const enclosure = this.#enclosures.get(channel);
    const isOf = enclosure !== undefined && cursor !== null && !result.gap && isSame(enclosure.after, cursor) && isSame(enclosure.next, result.next);
    let lean: Buffer | undefined;
    let full: Buffer | undefined;
    return { result, event: (isFull) => (isFull && isOf ? (full ??= encodePage(cursor, result, enclosure)) : (lean ??= encodePage(cursor, result))) };
  }

  async #write(res: ServerResponse, event: Buffer): Promise<void> {
    if (res.destroyed || res.write(event)) return;
    this.#blocked.add(res);
    try {
      await once(res, "drain", { signal: AbortSignal.timeout(this.#options.stallMs) });
    } catch {
      res.destroy();
    } finally {
      this.#blocked.delete(res);
    }
  }
}

function encodePage(after: Cursor | null, { entries, next, isEnd, gap }: ReadResult, enclosure?: Enclosure): Buffer {
  const name = gap ? "gap" : "entry";
  const whole = encodeEvent(name, next, { after, entries, next, isEnd, ...(enclosure !== undefined && { enclosed: encodeEnclosed(enclosure.blobs, toBase64) }) });
  const limit = enclosure === undefined ? maxInlineBytes : maxInlineBytes + maxEnclosedText;
  return whole.length <= limit ? whole : encodeEvent(name, next, { after, entries: null, next, isEnd });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function isSame(a: Cursor, b: Cursor): boolean {
  return a.epoch === b.epoch && a.seq === b.seq;
}

/** Server-sent events: JSON holds no line feed, so one `data` line is enough. Source: WHATWG HTML §9.2. */
function encodeEvent(event: "entry" | "gap" | "sync", next: Cursor, data: unknown): Buffer {
  return Buffer.from(`id: ${formatCursor(next)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
