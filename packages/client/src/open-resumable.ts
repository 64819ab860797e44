import { encodeClientFrame, parseServerFrame, type ServerFrame } from "./frames.ts";
import { Outbox, type Sent } from "./outbox.ts";
import { closeCodes, isFinal, type SocketEvent, type WebSocketConstructor, type WebSocketLike } from "./web-socket.ts";

/** Why it is over. `unacknowledged`: how many messages nobody has said to have. */
export interface ResumableEnd {
  /** `closed`: by `close()` or the signal; `refused`: the server does not want it again; `protocol`: it speaks something else. */
  readonly kind: "closed" | "refused" | "protocol";
  readonly code: number;
  readonly reason: string;
  readonly unacknowledged: number;
}

export interface ResumableOptions {
  /** Sub-protocols, as for `WebSocket`. Default: none. */
  readonly protocols?: string | readonly string[];
  /** Default: the global one, which browsers and Node from 22 have. For Node 20: that of `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** A message of the server; at most once, and lost if no connection is open. */
  readonly onMessage?: (data: string) => void;
  /** A connection is open. `isFresh`: the server knows nothing of this client; after the first time, its state is lost. */
  readonly onOpen?: (open: { readonly isFresh: boolean; readonly isFirst: boolean }) => void;
  /** All messages up to this id were dealt with. */
  readonly onAcknowledge?: (n: number) => void;
  /** Once, when no connection will follow. */
  readonly onEnd?: (end: ResumableEnd) => void;
  /** Ends it, as `close()` does. */
  readonly signal?: AbortSignal;
  /** The first attempt after a loss comes at random within this time, each later one within twice as long; in ms. Default: 500. */
  readonly spreadMs?: number;
  /** The longest that an attempt may wait; in ms. Default: 10,000. */
  readonly maxDelayMs?: number;
  /** A connection that acknowledges nothing for so long, with something to acknowledge, is given up; in ms. Default: 15,000. */
  readonly acknowledgeMs?: number;
  /** How many messages may wait for acknowledgement. Default: 1,000. */
  readonly maxMessages?: number;
  /** How many bytes of them. Default: 1,048,576. */
  readonly maxBytes?: number;
}

export interface Resumable {
  /** Names this client to the server, over all its connections. Whoever knows it can speak in its place. */
  readonly id: string;
  readonly state: ResumableState;
  /** How many messages wait for acknowledgement. */
  readonly unacknowledged: number;
  /** Gives the message an id and keeps it until the server has acknowledged it, whatever becomes of the connection. Never throws. */
  send(data: string): Sent;
  /** When nothing waits for acknowledgement any more: `true`; `false` if it ended before. */
  flushed(): Promise<boolean>;
  /** Ends it. What is not acknowledged is let go of: wait for `flushed()` first. */
  close(): void;
}

export type ResumableState = "connecting" | "open" | "waiting" | "ended";

/**
 * Opens a WebSocket that outlives its connections (spec/resume.md). Throws only what `new WebSocket(url)` throws for a
 * URL that is none, and a TypeError where there is no WebSocket; everything later is told to the callbacks.
 */
export function openResumable(url: string | URL, options: ResumableOptions = {}): Resumable {
  const constructor = options.WebSocket ?? (typeof WebSocket === "undefined" ? undefined : (WebSocket as WebSocketConstructor));
  if (constructor === undefined) throw new TypeError("There is no global WebSocket: give one as the option WebSocket.");
  return new Connection(url, options, constructor);
}

class Connection implements Resumable {
  readonly id: string = randomId();
  readonly #url: string | URL;
  readonly #options: ResumableOptions;
  readonly #WebSocket: WebSocketConstructor;
  readonly #outbox: Outbox;
  readonly #waiting = new Set<(isFlushed: boolean) => void>();
  #state: ResumableState = "connecting";
  #socket: WebSocketLike | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Attempts since the server last got something done for this client. */
  #attempts = 0;
  #isFirst = true;

  constructor(url: string | URL, options: ResumableOptions, constructor: WebSocketConstructor) {
    this.#url = url;
    this.#options = options;
    this.#WebSocket = constructor;
    this.#outbox = new Outbox({ maxMessages: options.maxMessages ?? 1000, maxBytes: options.maxBytes ?? 1_048_576 });
    if (options.signal?.aborted === true) this.#state = "ended";
    else {
      options.signal?.addEventListener("abort", this.#onAbort, { once: true });
      this.#connect();
    }
  }

  get state(): ResumableState {
    return this.#state;
  }

  get unacknowledged(): number {
    return this.#outbox.size;
  }

  send(data: string): Sent {
    if (this.#state === "ended") return { kind: "refused", why: "ended" };
    const isFirst = this.#outbox.size === 0;
    const sent = this.#outbox.add(data);
    if (sent.kind === "queued" && this.#state === "open") {
      this.#socket?.send(encodeClientFrame({ kind: "message", n: sent.n, data }));
      if (isFirst) this.#watch();
    }
    return sent;
  }

  flushed(): Promise<boolean> {
    if (this.#outbox.size === 0) return Promise.resolve(true);
    if (this.#state === "ended") return Promise.resolve(false);
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  close(): void {
    this.#end("closed", closeCodes.done, "");
  }

  #connect(): void {
    this.#state = "connecting";
    const { protocols } = this.#options;
    const socket = new this.#WebSocket(this.#url, typeof protocols === "string" ? protocols : [...(protocols ?? [])]);
    this.#socket = socket;
    // Of one that was left, nothing is heard any more.
    const listen = (type: "open" | "message" | "close" | "error", hear: (event: SocketEvent) => void): void =>
      socket.addEventListener(type, (event) => this.#socket === socket && hear(event));
    listen("open", () => socket.send(encodeClientFrame({ kind: "hello", id: this.id, from: this.#outbox.first })));
    listen("message", ({ data }) => this.#take(typeof data === "string" ? parseServerFrame(data) : null));
    listen("close", ({ code = 1006, reason = "" }) => this.#lose(code, reason));
    // A close follows each error; `ws` wants it to be heard.
    listen("error", () => undefined);
    this.#watch();
  }

  #take(frame: ServerFrame | null): void {
    if (frame === null) return this.#end("protocol", closeCodes.protocolError, "not a frame of this protocol");
    switch (frame.kind) {
      case "welcome": return this.#welcome(frame.last, frame.isFresh);
      case "acknowledge": return this.#acknowledge(frame.n);
      case "message": return this.#options.onMessage?.(frame.data);
      default: return frame satisfies never;
    }
  }

  #welcome(last: number, isFresh: boolean): void {
    const before = this.#outbox.first;
    if (this.#state !== "connecting" || last < before - 1 || !this.#outbox.acknowledge(last)) {
      return this.#end("protocol", closeCodes.protocolError, "a welcome to somebody else");
    }
    this.#state = "open";
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    for (const { n, data } of this.#outbox) this.#socket?.send(encodeClientFrame({ kind: "message", n, data }));
    this.#settle(last >= before || this.#outbox.size === 0);
    if (last >= before) this.#options.onAcknowledge?.(last);
    // Who was just told may have ended it.
    if (this.#socket !== null) this.#options.onOpen?.({ isFresh, isFirst });
  }

  #acknowledge(n: number): void {
    if (this.#state !== "open" || !this.#outbox.acknowledge(n)) return this.#end("protocol", closeCodes.protocolError, "an acknowledgement of what was not sent");
    this.#settle(true);
    this.#options.onAcknowledge?.(n);
  }

  /** After what the server got done. One that welcomes and then fails at every message is not asked again and again at once. */
  #settle(isProgress: boolean): void {
    if (isProgress) this.#attempts = 0;
    this.#watch();
    if (this.#outbox.size === 0) this.#resolve(true);
  }

  /** A connection can be gone without anybody being told. Browsers cannot ping: what is not acknowledged tells. */
  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state === "open" && this.#outbox.size === 0) return;
    this.#timer = setTimeout(() => this.#lose(1006, "nothing was acknowledged"), this.#options.acknowledgeMs ?? 15_000);
  }

  #lose(code: number, reason: string): void {
    if (isFinal(code)) return this.#end("refused", code, reason);
    this.#leave(closeCodes.done);
    this.#state = "waiting";
    const { spreadMs = 500, maxDelayMs = 10_000 } = this.#options;
    // At random over the whole time: who lost their connections together do not come back together.
    const delayMs = Math.random() * Math.min(maxDelayMs, spreadMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), delayMs);
  }

  /** From here on nothing of this connection is heard; a dead one may take long to say that it has closed. */
  #leave(code: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    try {
      // Others than 1000 and 3000 to 4999 are not for clients to send.
      socket.close(code === closeCodes.done ? code : undefined);
    } catch {
      // It was closed already.
    }
  }

  #end(kind: ResumableEnd["kind"], code: number, reason: string): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#leave(code);
    this.#resolve(false);
    this.#options.onEnd?.({ kind, code, reason, unacknowledged: this.#outbox.size });
  }

  #resolve(isFlushed: boolean): void {
    for (const resolve of this.#waiting) resolve(isFlushed);
    this.#waiting.clear();
  }

  readonly #onAbort = (): void => this.close();
}

/** 128 bits, so that nobody guesses one. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
