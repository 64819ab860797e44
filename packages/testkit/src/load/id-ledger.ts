export interface LedgerComparison {
  /** Promised to a client, but not there. */
  readonly missing: readonly string[];
  /** There, but never promised to a client. */
  readonly unknown: readonly string[];
  /** Promised more than once. */
  readonly doubled: readonly string[];
}

/** Writes down each id that a server hands out (order numbers, say), to show that none was lost or given twice. */
export class IdLedger {
  readonly #ids = new Set<string>();
  readonly #doubled: string[] = [];

  /** Null, or the sentence that says what is wrong: fit to be a validator's answer. */
  record(id: unknown): string | null {
    if (typeof id !== "string" || id === "") return `not an id: ${JSON.stringify(id)}`;
    if (this.#ids.has(id)) {
      this.#doubled.push(id);
      return `id ${id} was given out twice`;
    }
    this.#ids.add(id);
    return null;
  }

  get size(): number {
    return this.#ids.size;
  }

  get doubled(): readonly string[] {
    return this.#doubled;
  }

  get ids(): IterableIterator<string> {
    return this.#ids.values();
  }

  compare(present: Iterable<string>): LedgerComparison {
    const there = new Set(present);
    return {
      missing: [...this.#ids].filter((id) => !there.has(id)),
      unknown: [...there].filter((id) => !this.#ids.has(id)),
      doubled: this.#doubled,
    };
  }
}

/** The whole numbers between the smallest and the largest that are not there. */
export function missingNumbers(numbers: Iterable<number>): number[] {
  const present = new Set(numbers);
  if (present.size === 0) return [];
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const number of present) {
    smallest = Math.min(smallest, number);
    largest = Math.max(largest, number);
  }
  const missing: number[] = [];
  for (let number = smallest; number <= largest; number += 1) if (!present.has(number)) missing.push(number);
  return missing;
}
