import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** A kept result, asked by the way to a value. */
export interface Result {
  readonly bench: string;
  /** The number at the end of the way; of a list, the item that has these properties. @throws Error if there is none */
  number(...way: readonly Step[]): number;
  text(...way: readonly Step[]): string;
  /** The names below. */
  names(...way: readonly Step[]): readonly string[];
  /** Whether the bar whose name begins so was reached. */
  isReached(bar: string): boolean;
}

export type Step = string | Readonly<Record<string, number>>;

const folder = path.resolve(import.meta.dirname, "../results");

/** Null if no whole run of the bench is kept. */
export function readResult(bench: string): Result | null {
  const file = path.join(folder, `${bench}.json`);
  return existsSync(file) ? resultOf(bench, JSON.parse(readFileSync(file, "utf8"))) : null;
}

export function resultOf(bench: string, root: unknown): Result {
  const find = (way: readonly Step[]): unknown => {
    let at = root;
    for (const step of way) {
      at = typeof step === "string" ? (at as Readonly<Record<string, unknown>> | undefined)?.[step] : (at as readonly Readonly<Record<string, unknown>>[]).find((one) => Object.entries(step).every(([name, value]) => one[name] === value));
      if (at === undefined) throw new Error(`results/${bench}.json has no ${JSON.stringify(way)}`);
    }
    return at;
  };
  return {
    bench,
    number: (...way) => {
      const value = find(way);
      if (typeof value !== "number") throw new Error(`results/${bench}.json: ${JSON.stringify(way)} is no number`);
      return value;
    },
    text: (...way) => String(find(way)),
    names: (...way) => Object.keys(find(way) as object),
    isReached: (name) => {
      const found = (find(["bars"]) as readonly { readonly name: string; readonly ok: boolean }[]).find((one) => one.name.startsWith(name));
      if (found === undefined) throw new Error(`results/${bench}.json has no bar ${name}`);
      return found.ok;
    },
  };
}
