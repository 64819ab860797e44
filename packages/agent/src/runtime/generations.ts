import { AsyncLocalStorage } from "node:async_hooks";
import type { Stint } from "../measure/meter.ts";

/** The code that was live between two swaps. */
export interface GenerationMark {
  readonly number: number;
  /** Requests that entered under it and have not ended. */
  open: number;
}

/** What a request carries through its awaits, timers and streams: the generation that it began on. */
export class Token {
  generation: GenerationMark;
  isOpen = true;
  readonly enteredAtMs: number = performance.now();
  /** What the request gets for an answer, while it is open. */
  answer: object | null;
  /** Its neighbours in the list of those that are open: a list costs a request a tenth of what a set does. */
  previous: Token | null = null;
  next: Token | null = null;
  /** Where its end is counted; null: nowhere. */
  stint: Stint | null = null;

  constructor(generation: GenerationMark, answer: object | null) {
    this.generation = generation;
    this.answer = answer;
  }
}

type Callback = (...args: never[]) => unknown;

export interface GenerationsOptions {
  /** A request older than this is a straggler. In ms; Infinity: none is. */
  pinMs: number;
  /** Stragglers go on, per call, on the current generation; or they are kept where they are, and told of. Default: true. */
  movesOn?: boolean;
  /** A straggler was found and kept: told once per generation. */
  onOverdue?: () => void;
  /** True if this answer is an event stream by now: it has no end to wait for, and goes on message by message. Default: none is. */
  readonly isEndless?: (answer: object) => boolean;
  /** How long work that follows a response keeps its generation, in ms. */
  readonly lingerMs: number;
}

/**
 * Which generation a call belongs to. At most two are open: the current one, and the one before it while requests
 * that began on it are under way. Outside of a request a call always belongs to the current one.
 */
export class Generations {
  readonly #storage = new AsyncLocalStorage<Token>();
  readonly #options: GenerationsOptions;
  /** The newest of the open tokens. */
  #newest: Token | null = null;
  #current: GenerationMark = { number: 0, open: 0 };
  #old: GenerationMark | null = null;
  #drained: (() => void)[] = [];
  #collapse: (() => void) | null = null;
  #pin: NodeJS.Timeout | null = null;
  #isOverdue = false;
  /** Those who wait for requests to end. */
  readonly #lookers = new Set<(token: Token) => void>();

  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  /** True if this call is part of a request that began before the last swap. */
  readonly isOld = (): boolean => this.#old !== null && this.#storage.getStore()?.generation === this.#old;

  get token(): Token | undefined {
    return this.#storage.getStore();
  }

  get hasOld(): boolean {
    return this.#old !== null;
  }

  /** Opens a token on the current generation. */
  open(answer: object | null = null): Token {
    const token = new Token(this.#current, answer);
    this.#current.open++;
    token.previous = this.#newest;
    if (this.#newest !== null) this.#newest.next = token;
    this.#newest = token;
    return token;
  }

  run<T>(token: Token, work: () => T): T {
    return this.#storage.run(token, work);
  }

  /** The same as a call: `run` takes no closure, so that an event costs none. */
  apply<F extends Callback>(token: Token, callback: F, self: unknown, args: ArrayLike<unknown>): ReturnType<F> {
    return this.#storage.run(token, Reflect.apply, callback, self, args) as ReturnType<F>;
  }

  /** The request has ended. What it left running keeps the token, and so its generation until that is given up. */
  close(token: Token): void {
    if (!token.isOpen) return;
    token.isOpen = false;
    this.#unlist(token);
    this.#leave(token.generation);
    for (const look of this.#lookers) look(token);
  }

  /** Tells how long each request under way has taken, event streams left out: the newest first, and of no more than `most`. */
  eachOpen(visit: (stint: Stint, tookMs: number) => void, leastMs: number, most: number): void {
    const now = performance.now();
    let token = this.#newest;
    for (let seen = 0; token !== null && seen < most; seen++, token = token.previous) {
      const tookMs = now - token.enteredAtMs;
      if (tookMs >= leastMs && token.stint !== null && !this.#isEndless(token)) visit(token.stint, tookMs);
    }
  }

  /** True if no request is under way, but for event streams and for those beyond their bound. */
  get isQuiet(): boolean {
    const now = performance.now();
    for (const token of this.#listed()) if (!this.#isEndless(token) && token.enteredAtMs + this.#options.pinMs > now) return false;
    return true;
  }

  /** Calls `onEnded` once all requests that are open now have ended, but for event streams. Returns what stops the waiting. */
  whenEnded(onEnded: () => void): () => void {
    const waited = new Set(this.#listed().filter((token) => !this.#isEndless(token)));
    const look = (token: Token): void => {
      if (!waited.delete(token) || waited.size > 0) return;
      this.#lookers.delete(look);
      onEnded();
    };
    if (waited.size === 0) onEnded();
    else this.#lookers.add(look);
    return () => void this.#lookers.delete(look);
  }

  /** Keeps a callback on the request that made it, whoever calls it. */
  bind<F extends Callback>(callback: F): F {
    const token = this.#storage.getStore();
    return token === undefined || typeof callback !== "function" ? callback : (bindTo(this, token, callback) as unknown as F);
  }

  /** Calls a callback of this request: under its token, while that is open or its generation the old one. */
  callBound(token: Token, callback: Callback, self: unknown, args: IArguments): unknown {
    return this.#storage.getStore() === token || !(token.isOpen || token.generation === this.#old) ? Reflect.apply(callback, self, args as unknown as never[]) : this.apply(token, callback, self, args);
  }

  /**
   * A new generation becomes current. True if the former one has open requests: then `collapse` is called once
   * when the last of them has ended or been moved on. Only while there is no old one. `keepsOld` false: they are moved on now.
   */
  advance(collapse: () => void, keepsOld = true): boolean {
    const former = this.#current;
    this.#current = { number: former.number + 1, open: 0 };
    if (former.open === 0) return false;
    if (!keepsOld) {
      for (const token of this.#listed()) token.generation = this.#current;
      this.#current.open = former.open;
      return false;
    }
    this.#old = former;
    this.#collapse = collapse;
    this.#watchStragglers();
    return true;
  }

  /** Takes `advance` back. */
  retreat(): void {
    const former = this.#old;
    if (former === null) return;
    // A new mark: the end of the former one may be on its way, and must not end the next.
    const again: GenerationMark = { number: former.number, open: former.open + this.#current.open };
    for (const token of this.#listed()) token.generation = again;
    this.#current = again;
    this.#end();
  }

  /** Moves all requests of the old generation on at once: what is current now has to give way. */
  giveUp(): void {
    const old = this.#old;
    if (old === null) return;
    for (const token of this.#listed()) {
      if (token.generation !== old) continue;
      token.generation = this.#current;
      this.#current.open++;
    }
    const collapse = this.#collapse;
    this.#end();
    collapse?.();
  }

  /** True if requests of the old generation are stragglers, and kept: waiting for them has no bound. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** Settles when one generation is open, or stragglers of the other are kept. */
  async single(): Promise<void> {
    if (this.#old !== null && !this.#isOverdue) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #isEndless({ answer }: Token): boolean {
    return answer !== null && this.#options.isEndless?.(answer) === true;
  }

  /** The open tokens. */
  #listed(): Token[] {
    const listed: Token[] = [];
    for (let token = this.#newest; token !== null; token = token.previous) listed.push(token);
    return listed.toReversed();
  }

  /** A context may be kept for long, and must keep neither its neighbours nor the answer. */
  #unlist(token: Token): void {
    const { previous, next } = token;
    if (previous !== null) previous.next = next;
    if (next !== null) next.previous = previous;
    else this.#newest = previous;
    token.previous = token.next = token.answer = null;
  }

  #leave(generation: GenerationMark): void {
    generation.open--;
    if (generation.open > 0 || generation !== this.#old) return;
    setTimeout(() => {
      if (this.#old !== generation) return;
      const collapse = this.#collapse;
      this.#end();
      collapse?.();
    }, this.#options.lingerMs).unref();
  }

  #end(): void {
    this.#isOverdue = false;
    this.#old = null;
    this.#collapse = null;
    if (this.#pin !== null) clearTimeout(this.#pin);
    this.#pin = null;
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  /** Moves on event streams, and requests that are older than the bound: they go on, per call, on the current generation. */
  #watchStragglers(): void {
    const { pinMs } = this.#options;
    const old = this.#old;
    if (old === null) return;
    let nextMs = pinMs;
    let isKept = false;
    const now = performance.now();
    for (const token of this.#listed()) {
      if (token.generation !== old) continue;
      const leftMs = this.#isEndless(token) ? 0 : token.enteredAtMs + pinMs - now;
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else if (this.#options.movesOn === false && !this.#isEndless(token)) isKept = true;
      else {
        token.generation = this.#current;
        this.#current.open++;
        this.#leave(old);
      }
    }
    if (isKept && !this.#isOverdue) {
      this.#isOverdue = true;
      this.#wakeWaiting();
      this.#options.onOverdue?.();
    }
    if (old.open > 0 && nextMs < Infinity) this.#pin = setTimeout(() => this.#watchStragglers(), nextMs + 1).unref();
  }
}

/** Some callees look at how many parameters a callback has. One closure each: a request may bind many. */
function bindTo(generations: Generations, token: Token, callback: Callback): (...args: unknown[]) => unknown {
  /* eslint-disable prefer-rest-params */
  switch (callback.length) {
    case 0:
      return function (this: unknown) { return generations.callBound(token, callback, this, arguments); };
    case 1:
      return function (this: unknown, _a: unknown) { return generations.callBound(token, callback, this, arguments); };
    case 2:
      return function (this: unknown, _a: unknown, _b: unknown) { return generations.callBound(token, callback, this, arguments); };
    case 3:
      return function (this: unknown, _a: unknown, _b: unknown, _c: unknown) { return generations.callBound(token, callback, this, arguments); };
    default:
      return Object.defineProperty(function (this: unknown) { return generations.callBound(token, callback, this, arguments); }, "length", { value: callback.length });
  }
}
