import { formatCursor, isMidflightError, MidflightError, type Blob, type Cursor, type LogEntry } from "@midflight/protocol";
import type { RegistryClient } from "./connect-registry.ts";
import { backOffMs, pause } from "./pause.ts";
import type { WatchEvent } from "./watch.ts";

export interface FollowOptions {
  /** Ends the following; the promise then resolves. */
  readonly signal: AbortSignal;
  /**
   * Called with entries in their order, each once. `gap`: entries between the last call's and these are gone for good,
   * and these begin at the oldest kept. `isEnd`: there was nothing newer. Called once without entries if there are none
   * yet. What it throws ends the following. `enclosed`: blobs that came along, if they were asked for; any of them may
   * be missing.
   */
  readonly onEntries: (entries: readonly LogEntry[], info: { readonly gap: boolean; readonly isEnd: boolean; readonly next: Cursor; readonly enclosed: readonly Blob[] }) => void | Promise<void>;
  /** Ask for what appends have enclosed. Default: false. */
  readonly wantsEnclosed?: boolean;
  /** Called when the connection comes and goes; with why it went, or could not come. */
  readonly onState?: (isConnected: boolean, cause: MidflightError | null) => void;
  /** How often the log is read though nothing was heard. Default: 30,000. */
  readonly pollMs?: number;
}

const pageEntries = 500;

/**
 * Follows a channel's log after a cursor (null: from the oldest kept) until it is told to stop. Events are only hints:
 * entries that join on to the cursor are taken from them, anything else is read from the log. Comes back for ever,
 * with a jittered back-off, whatever the network or the registry does, and never keeps the process alive (unless the
 * client was made to).
 */
export async function follow(registry: RegistryClient, channel: string, after: Cursor | null, options: FollowOptions): Promise<void> {
  const follower = new Follower(registry, channel, after, options);
  for (let attempt = 0; !options.signal.aborted; attempt++) {
    const cause = await follower.run(() => {
      attempt = -1;
    });
    if (options.signal.aborted) return;
    options.onState?.(false, cause);
    await pause(backOffMs(attempt), { signal: options.signal, keepsProcessAlive: registry.keepsProcessAlive });
  }
}

/** Carries what the caller's own callback threw past the handling of what the network does. */
class CallbackFailure extends Error {}

class Follower {
  readonly #registry: RegistryClient;
  readonly #channel: string;
  readonly #options: FollowOptions;
  #cursor: Cursor | null;
  #hasDelivered = false;

  constructor(registry: RegistryClient, channel: string, after: Cursor | null, options: FollowOptions) {
    this.#registry = registry;
    this.#channel = channel;
    this.#cursor = after;
    this.#options = options;
  }

  /** One connection's life. Resolves with what ended it; throws only what the callback threw. */
  async run(onConnected: () => void): Promise<MidflightError | null> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#options.signal]);
    const events = this.#registry.watch(this.#channel, { after: this.#cursor, wantsEnclosed: this.#options.wantsEnclosed ?? false }, signal)[Symbol.asyncIterator]();
    try {
      let isConnected = false;
      let coming = events.next();
      coming.catch(() => undefined); // met below, or not needed any more
      for (;;) {
        const event = await this.#nextOrPoll(coming);
        if (event === "poll") {
          await this.#read();
          continue;
        }
        if (event.done === true) return null;
        if (!isConnected) {
          isConnected = true;
          onConnected();
          this.#options.onState?.(true, null);
        }
        await this.#take(event.value);
        coming = events.next();
        coming.catch(() => undefined);
      }
    } catch (cause) {
      if (cause instanceof CallbackFailure) throw cause.cause;
      return isMidflightError(cause) ? cause : new MidflightError("REGISTRY_UNREACHABLE", { what: "The connection to the registry broke.", why: String(cause), retryable: true });
    } finally {
      stop.abort();
    }
  }

  /** The next event, or "poll" when none came for a while: an event may have been lost on a way that looks alive. */
  async #nextOrPoll(coming: Promise<IteratorResult<WatchEvent, void>>): Promise<IteratorResult<WatchEvent, void> | "poll"> {
    const waiting = new AbortController();
    const { pollMs = 30_000 } = this.#options;
    const poll = pause(pollMs, { signal: waiting.signal, keepsProcessAlive: this.#registry.keepsProcessAlive });
    try {
      return await Promise.race([coming, poll.then((): "poll" => "poll")]);
    } finally {
      waiting.abort();
    }
  }

  async #take(event: WatchEvent): Promise<void> {
    if (event.kind === "sync") {
      if (!this.#hasDelivered) await this.#deliver([], { gap: false, isEnd: true, next: event.next });
      else if (!isSame(this.#cursor, event.next)) await this.#read();
      return;
    }
    if (isSame(this.#cursor, event.next) && !event.gap) return; // known already
    const joins = isSame(this.#cursor, event.after);
    if (joins && event.entries !== null) await this.#deliver(event.entries, event);
    else await this.#read();
  }

  async #read(): Promise<void> {
    for (;;) {
      const page = await this.#registry.read(this.#channel, this.#cursor, pageEntries);
      if (page.entries.length > 0 || page.gap) await this.#deliver(page.entries, page);
      else this.#cursor = page.next;
      if (page.isEnd || page.entries.length === 0) return; // a page without entries leads nowhere, whatever it says
    }
  }

  async #deliver(entries: readonly LogEntry[], { gap, isEnd, next, enclosed = [] }: { readonly gap: boolean; readonly isEnd: boolean; readonly next: Cursor; readonly enclosed?: readonly Blob[] }): Promise<void> {
    try {
      await this.#options.onEntries(entries, { gap, isEnd, next, enclosed });
    } catch (cause) {
      throw new CallbackFailure("onEntries failed", { cause });
    }
    this.#hasDelivered = true;
    this.#cursor = next;
  }
}

function isSame(a: Cursor | null, b: Cursor | null): boolean {
  return a === null || b === null ? a === b : formatCursor(a) === formatCursor(b);
}
