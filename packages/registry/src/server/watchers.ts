import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { formatCursor, MidflightError, type Cursor, type ReadResult, type Registry } from "@midflight/protocol";

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

interface Page {
  readonly result: ReadResult;
  readonly event: Buffer;
}

/**
 * The event streams of a registry. Each stream holds at most one event beyond what its socket takes: the next page is
 * read only when the last has drained. Streams that stand at the same cursor share one read and one buffer.
 */
export class Watchers {
  readonly #registry: Registry;
  readonly #options: WatcherOptions;
  readonly #streams = new Set<ServerResponse>();
  readonly #blocked = new WeakSet<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  /** Pages being read right now, by channel and cursor. */
  readonly #pages = new Map<string, Promise<Page>>();

  constructor(registry: Registry, options: WatcherOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#heartbeat = setInterval(() => {
      for (const res of this.#streams) if (!this.#blocked.has(res)) res.write(":\n\n");
    }, options.heartbeatMs).unref();
  }

  /** Streams until the reader leaves. `after`: "end" begins at the newest entry. */
  async watch(res: ServerResponse, channel: string, after: Cursor | null | "end"): Promise<void> {
    if (this.#streams.size >= this.#options.maxWatchers) {
      throw new MidflightError("REGISTRY_UNREACHABLE", { what: `The registry has ${this.#options.maxWatchers} readers already.`, retryable: true });
    }
    let wake: (() => void) | null = null;
    let isPoked = false;
    const off = this.#registry.onPoke(channel, () => {
      this.#pages.clear(); // what was read before the append does not hold it
      isPoked = true;
      wake?.();
    });
    const closed = new Promise<void>((resolve) => {
      res.on("close", resolve);
    }).then(() => wake?.());
    this.#streams.add(res);
    try {
      let cursor = after === "end" ? await this.#end(channel) : after;
      let isSynced = false;
      res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
      while (!res.destroyed) {
        isPoked = false;
        const { result, event } = await this.#page(channel, cursor);
        cursor = result.next;
        if (result.entries.length > 0 || result.gap) await this.#write(res, event);
        if (!result.isEnd) continue;
        if (!isSynced || result.gap) await this.#write(res, encodeEvent("sync", cursor, { next: cursor }));
        isSynced = true;
        if (!isPoked && !res.destroyed) await new Promise<void>((resolve) => (wake = resolve));
      }
      await closed;
    } finally {
      off();
      this.#streams.delete(res);
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
    const page = this.#registry.read(channel, cursor, pageEntries).then((result) => ({ result, event: encodePage(cursor, result) }));
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

function encodePage(after: Cursor | null, { entries, next, isEnd, gap }: ReadResult): Buffer {
  const whole = encodeEvent(gap ? "gap" : "entry", next, { after, entries, next, isEnd });
  return whole.length <= maxInlineBytes ? whole : encodeEvent(gap ? "gap" : "entry", next, { after, entries: null, next, isEnd });
}

/** Server-sent events: JSON holds no line feed, so one `data` line is enough. Source: WHATWG HTML §9.2. */
function encodeEvent(event: "entry" | "gap" | "sync", next: Cursor, data: unknown): Buffer {
  return Buffer.from(`id: ${formatCursor(next)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
