/** Counts answers, and can be waited on. */
export class Tally {
  readonly #mostWrong: number;
  readonly #waiting = new Set<() => void>();
  #right = 0;
  #wrong = 0;

  constructor(mostWrong: number) {
    this.#mostWrong = mostWrong;
  }

  get right(): number {
    return this.#right;
  }

  count(isRight: boolean): void {
    if (isRight) this.#right += 1;
    else this.#wrong += 1;
    for (const look of this.#waiting) look();
  }

  /** Until so many answers were right. Rejects when too many were wrong, or when none came for `silenceMs`. */
  reaches(goal: number, silenceMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        end();
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`no answer for ${silenceMs} ms`))), silenceMs);
      const look = (): void => {
        timer.refresh();
        if (this.#right >= goal) settle(resolve);
        else if (this.#wrong >= this.#mostWrong) settle(() => reject(new Error(`${this.#wrong} answers were wrong`)));
      };
      this.#waiting.add(look);
      if (this.#right >= goal) settle(resolve);
    });
  }
}
