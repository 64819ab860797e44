import { type IncomingMessage, request } from "node:http";
import { type StreamedEvent, createEventParser } from "./event-parser.ts";

export interface EventStreamOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly onEvent?: (event: StreamedEvent) => void;
  /** For the answer's head. Default: 5000. */
  readonly openWithinMs?: number;
}

export interface EventStreamReport {
  readonly events: number;
  readonly firstId: number | null;
  readonly lastId: number | null;
  /** Ids that did not rise. */
  readonly outOfOrder: number;
  /** Ids that were left out. */
  readonly skipped: number;
  /** Longest silence between two events, in milliseconds. */
  readonly maxGapMs: number;
  /** Null while the stream is open or when we closed it; else why it ended. */
  readonly brokenBecause: string | null;
}

/** A stream of server-sent events, which must stay open until we close it, with whole numbers as ids that rise. Never reconnects. */
export interface EventStream {
  readonly report: EventStreamReport;
  /** The next event that fits. Rejects when the stream ends or time (default 5000 ms) is up. */
  waitForEvent(fits?: (event: StreamedEvent) => boolean, timeoutMs?: number): Promise<StreamedEvent>;
  /** Settles when the stream has ended, asked for or not. */
  readonly ended: Promise<EventStreamReport>;
  close(): Promise<EventStreamReport>;
}

/** Opens a stream. Rejects when the answer is not an event stream with status 200. */
export async function openEventStream(url: URL, options: EventStreamOptions = {}): Promise<EventStream> {
  const { incoming, destroy } = await openAnswer(url, options);
  const watch = new StreamWatch();
  const waiting = new Set<{ take: (event: StreamedEvent) => void; giveUp: (reason: string) => void }>();
  let isClosing = false;
  let brokenBecause: string | null = null;
  const currentReport = (): EventStreamReport => ({ ...watch.figures(), brokenBecause });

  const parse = createEventParser((event) => {
    watch.see(event);
    options.onEvent?.(event);
    for (const waiter of waiting) waiter.take(event);
  });
  incoming.on("data", parse);
  const ended = new Promise<EventStreamReport>((resolve) => {
    const end = (reason: string): void => {
      if (!isClosing) brokenBecause ??= reason;
      for (const waiter of waiting) waiter.giveUp(reason);
      resolve(currentReport());
    };
    incoming.once("end", () => end("the server ended it"));
    incoming.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    incoming.once("close", () => end("the connection was lost"));
  });

  return {
    get report(): EventStreamReport {
      return currentReport();
    },
    ended,
    close: () => {
      isClosing = true;
      destroy();
      return ended;
    },
    waitForEvent: (fits = () => true, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const waiter = {
          take: (event: StreamedEvent): void => {
            if (!fits(event)) return;
            leave();
            resolve(event);
          },
          giveUp: (reason: string): void => {
            leave();
            reject(new Error(`no such event: ${reason}`));
          },
        };
        const timer = setTimeout(() => waiter.giveUp(`none within ${timeoutMs} ms`), timeoutMs);
        const leave = (): void => {
          clearTimeout(timer);
          waiting.delete(waiter);
        };
        if (incoming.destroyed) waiter.giveUp("the stream has ended");
        else waiting.add(waiter);
      }),
  };
}

class StreamWatch {
  #events = 0;
  #firstId: number | null = null;
  #lastId: number | null = null;
  #outOfOrder = 0;
  #skipped = 0;
  #maxGapMs = 0;
  #lastEventMs = performance.now();

  see(event: StreamedEvent): void {
    const nowMs = performance.now();
    if (this.#events > 0) this.#maxGapMs = Math.max(this.#maxGapMs, nowMs - this.#lastEventMs);
    this.#lastEventMs = nowMs;
    this.#events += 1;
    const id = Number(event.id);
    if (event.id === "" || !Number.isSafeInteger(id)) this.#outOfOrder += 1;
    else this.#seeId(id);
  }

  #seeId(id: number): void {
    if (this.#lastId !== null && id <= this.#lastId) {
      this.#outOfOrder += 1;
      return;
    }
    if (this.#lastId !== null) this.#skipped += id - this.#lastId - 1;
    this.#firstId ??= id;
    this.#lastId = id;
  }

  figures(): Omit<EventStreamReport, "brokenBecause"> {
    return {
      events: this.#events,
      firstId: this.#firstId,
      lastId: this.#lastId,
      outOfOrder: this.#outOfOrder,
      skipped: this.#skipped,
      maxGapMs: this.#maxGapMs,
    };
  }
}

function openAnswer(url: URL, options: EventStreamOptions): Promise<{ incoming: IncomingMessage; destroy: () => void }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, headers: { accept: "text/event-stream", ...options.headers } });
    const withinMs = options.openWithinMs ?? 5000;
    const timer = setTimeout(() => outgoing.destroy(new Error(`${url.href} did not answer within ${withinMs} ms`)), withinMs);
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.once("response", (incoming) => {
      clearTimeout(timer);
      const type = incoming.headers["content-type"] ?? "none";
      if (incoming.statusCode === 200 && type.startsWith("text/event-stream")) {
        resolve({ incoming, destroy: () => outgoing.destroy() });
        return;
      }
      outgoing.destroy();
      reject(new Error(`${url.href} answered ${incoming.statusCode} with type ${type}, not an event stream`));
    });
    outgoing.end();
  });
}
