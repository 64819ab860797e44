import { bytesOf, encodeServerFrame, maxFrameLength, maxMessageBytes, parseClientFrame, type ClientFrame, type ServerFrame } from "./frames.ts";
import { createResumeWindow, type ResumeEntry, type ResumeWindow } from "./resume-window.ts";
import { closeCodes } from "./web-socket.ts";

/** What is used of a server's WebSocket: that of `ws`, or anything that emits `message` and `close`. */
export interface ResumableSocket {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** `id` and `n` together name a message, over all connections and processes: a key for what must be done once. */
export interface ResumableMessage {
  readonly id: string;
  readonly n: number;
  readonly data: string;
}

export interface ResumablePeer<Request> {
  /** The client's resume id; empty before its first word. */
  readonly id: string;
  readonly request: Request;
  /** Nothing was known of this client: it is new, or what was known is lost. */
  readonly isFresh: boolean;
  /** At most once: it is lost if the connection is. */
  send(data: string): void;
  /** 1000, and a code from 4000 to 4999, mean that the client is not to come again. Default: 1000. */
  close(code?: number, reason?: string): void;
}

export interface AcceptOptions<Request> {
  /**
   * Called for one message of a client after the other, in the order of their ids. A message is acknowledged when this has
   * returned or its promise is fulfilled. If it throws, the connection is closed and the client sends the message again.
   */
  readonly onMessage: (message: ResumableMessage, peer: ResumablePeer<Request>) => void | Promise<void>;
  /** The client was welcomed. */
  readonly onOpen?: (peer: ResumablePeer<Request>) => void;
  /** Up to which message this client was dealt with, from where the effects are kept; makes it exactly once over processes. */
  readonly lastOf?: (id: string, request: Request) => number | undefined | Promise<number | undefined>;
  /** Who sends the request, once they are known: nobody resumes for somebody else. Default: everybody is the same. */
  readonly ownerOf?: (request: Request) => string;
  /** What `onMessage`, `onOpen`, `lastOf` or `ownerOf` threw. Default: nobody is told. */
  readonly onTrouble?: (problem: unknown) => void;
  /** What is remembered of clients. Default: one for all of the process. */
  readonly window?: ResumeWindow;
  /** How many messages of a client may wait to be dealt with, before its connection is closed. Default: 1,000. */
  readonly maxPending?: number;
}

let shared: ResumeWindow | undefined;

/** The server's side of spec/resume.md for one connection; to be called when it opens, before anything of it is read. */
export function acceptResumable<Request>(socket: ResumableSocket, request: Request, options: AcceptOptions<Request>): ResumablePeer<Request> {
  return new Peer(socket, request, options, options.window ?? (shared ??= createResumeWindow()));
}

class Peer<Request> implements ResumablePeer<Request> {
  readonly request: Request;
  id = "";
  isFresh = true;
  readonly #socket: ResumableSocket;
  readonly #options: AcceptOptions<Request>;
  readonly #window: ResumeWindow;
  #key = "";
  #entry: ResumeEntry | null = null;
  #isOpen = true;

  constructor(socket: ResumableSocket, request: Request, options: AcceptOptions<Request>, window: ResumeWindow) {
    this.request = request;
    this.#socket = socket;
    this.#options = options;
    this.#window = window;
    socket.on("message", (data: unknown, isBinary?: unknown) => this.#take(isBinary === true ? null : textOf(data)));
    socket.on("close", () => this.#leave());
    // A close follows; without a listener it would end the process.
    socket.on("error", () => undefined);
  }

  send(data: string): void {
    this.#say({ kind: "message", data });
  }

  close(code: number = closeCodes.done, reason = ""): void {
    if (!this.#isOpen) return;
    this.#leave();
    this.#socket.close(code, reason);
  }

  #take(text: string | null): void {
    if (!this.#isOpen) return;
    if (text === null) return this.close(closeCodes.notText, "frames are JSON in text");
    if (text.length > maxFrameLength) return this.close(closeCodes.tooLarge, "the frame is too long");
    const frame = parseClientFrame(text);
    if (frame === null) return this.close(closeCodes.protocolError, "not a frame of this protocol");
    if (frame.kind === "hello") return this.#entry === null ? this.#greet(frame) : this.close(closeCodes.protocolError, "a second hello");
    if (this.#entry === null) return this.close(closeCodes.protocolError, "no hello");
    if (bytesOf(frame.data) > maxMessageBytes) return this.close(closeCodes.tooLarge, "the message is too large");
    if (this.#entry.pending > (this.#options.maxPending ?? 1000)) return this.close(closeCodes.tryLater, "too much waits to be dealt with");
    this.#next(this.#entry, (entry) => this.#deal(entry, frame));
  }

  #greet({ id, from }: Extract<ClientFrame, { kind: "hello" }>): void {
    try {
      this.#key = JSON.stringify([this.#options.ownerOf?.(this.request) ?? "", id]);
    } catch (problem) {
      return this.#fail(problem);
    }
    this.id = id;
    const entry = this.#window.take(this.#key);
    const former = entry.holder;
    this.#entry = entry;
    entry.holder = this;
    if (former instanceof Peer) former.close(closeCodes.policy, "another connection speaks for this client");
    this.#next(entry, async () => {
      const kept = await this.#options.lastOf?.(id, this.request);
      if (!this.#isOpen) return;
      const known = kept === undefined ? entry.last : Math.max(kept, entry.last ?? 0);
      // Below `from` the client has let go of everything, because it was acknowledged.
      this.isFresh = known === null || known < from - 1;
      entry.last = Math.max(known ?? 0, from - 1);
      this.#say({ kind: "welcome", last: entry.last, isFresh: this.isFresh });
      this.#options.onOpen?.(this);
    });
  }

  async #deal(entry: ResumeEntry, { n, data }: Extract<ClientFrame, { kind: "message" }>): Promise<void> {
    const last = entry.last ?? 0;
    if (n > last + 1) return this.close(closeCodes.protocolError, `${n} came after ${last}`);
    if (n === last + 1) {
      await this.#options.onMessage({ id: this.id, n, data }, this);
      entry.last = n;
    }
    this.#say({ kind: "acknowledge", n: entry.last ?? n });
  }

  /** One thing after the other, also over connections: who comes again is welcomed when what it sent before has been dealt with. */
  #next(entry: ResumeEntry, work: (entry: ResumeEntry) => Promise<void>): void {
    const key = this.#key;
    entry.pending += 1;
    entry.work = entry.work.then(async () => {
      try {
        // What has not begun when the connection ends is not begun: it is sent again, maybe to another process.
        if (this.#isOpen) await work(entry);
      } catch (problem) {
        this.#fail(problem);
      }
      entry.pending -= 1;
      if (entry.pending === 0) this.#window.release(key);
    });
  }

  #fail(problem: unknown): void {
    this.close(closeCodes.failed, "it could not be dealt with");
    try {
      this.#options.onTrouble?.(problem);
    } catch {
      // Who is told of trouble has trouble: nobody is left to tell, and the next message is still to be dealt with.
    }
  }

  #say(frame: ServerFrame): void {
    if (!this.#isOpen) return;
    try {
      this.#socket.send(encodeServerFrame(frame));
    } catch {
      // It cannot be written to any more; its close is on the way.
    }
  }

  #leave(): void {
    this.#isOpen = false;
    if (this.#entry?.holder !== this) return;
    this.#entry.holder = null;
    this.#window.release(this.#key);
  }
}

/** `null`: not text. */
function textOf(data: unknown): string | null {
  if (typeof data === "string") return data;
  try {
    return data instanceof Uint8Array || data instanceof ArrayBuffer ? new TextDecoder("utf-8", { fatal: true }).decode(data) : null;
  } catch {
    return null;
  }
}
