/**
 * The turn of the event loop that runs now, and how much of it the agent of this thread has taken. All of its work
 * draws on one account: what is sliced in two places at the same time still holds a turn no longer than one slice.
 */
class Turn {
  #usedMs = 0;
  #countedAt = 0;
  #isEnding = false;
  readonly #waiting: (() => void)[] = [];

  /** Adds what was taken of this turn from one time until another, in ms; what two take at once counts once. Returns the sum. */
  take(from: number, until: number): number {
    this.#usedMs += Math.max(0, until - Math.max(from, this.#countedAt));
    this.#countedAt = until;
    this.#endSoon();
    return this.#usedMs;
  }

  /** Settles in a turn of which nothing was taken yet. One waiter a turn, in the order in which they came. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#endSoon();
    });
  }

  #endSoon(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(() => {
      this.#isEnding = false;
      this.#usedMs = 0;
      this.#countedAt = 0;
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#endSoon();
    });
  }
}

/** This thread's: a module has one instance per thread. */
export const turn: Turn = new Turn();
