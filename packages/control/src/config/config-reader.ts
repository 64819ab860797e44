import { MidflightError } from "@midflight/protocol";
import { nearest } from "../nearest.ts";
import type { ConfigOrigin } from "./resolved-config.ts";

/** A value from a flag or a variable, which wins over the file. */
export interface Override {
  readonly value: unknown;
  readonly from: string;
}

/**
 * Reads keys out of the user's value, notes where each value came from, and refuses what it does not know,
 * with the key's path and the file's name in the message.
 */
export class ConfigReader {
  readonly origins: Map<string, ConfigOrigin> = new Map();
  readonly #file: string;
  readonly #overrides: ReadonlyMap<string, Override>;

  constructor(file: string, overrides: ReadonlyMap<string, Override>) {
    this.#file = file;
    this.#overrides = overrides;
  }

  fail(path: string, problem: string, fix?: string): never {
    throw new MidflightError("CONFIG_INVALID", {
      what: `${path} in ${this.#file} ${problem}.`,
      why: "the value is not one that midflight understands.",
      state: "nothing was done.",
      fix: [fix ?? `correct ${path} in ${this.#file}`],
      details: { path, file: this.#file },
    });
  }

  record(value: unknown, path: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(path, "is not an object");
    for (const key of Object.keys(value)) {
      if (keys.includes(key)) continue;
      const near = nearest(key, keys);
      const full = path === "config" ? key : `${path}.${key}`;
      this.fail(full, `is not a key that exists${near === null ? "" : `. Did you mean ${near}?`}`.replace(/\?$/, "?"), near === null ? `known here: ${keys.join(", ")}` : `write ${near} in place of ${key}`);
    }
    return value as Record<string, unknown>;
  }

  /** One value: a flag or variable, else the file's, else the default. `check` gives the problem, or null. */
  value<T>(record: Readonly<Record<string, unknown>>, path: string, fallback: T, check: (value: unknown) => string | null): T {
    const key = path.slice(path.lastIndexOf(".") + 1);
    const override = this.#overrides.get(path);
    const isGiven = record[key] !== undefined;
    const [value, from] = override !== undefined ? [override.value, override.from] : isGiven ? [record[key], this.#file] : [fallback, "default"];
    const problem = from === "default" ? null : check(value);
    if (problem !== null) this.fail(path, `${problem}${from === this.#file ? "" : ` (from ${from})`}`);
    this.note(path, value, from);
    return value as T;
  }

  note(path: string, value: unknown, from: string): void {
    this.origins.set(path, { value: typeof value === "string" ? value : value === null ? "–" : Array.isArray(value) ? (value.join(", ") || "–") : JSON.stringify(value), from });
  }

  /** Where values that the file gives come from. */
  get file(): string {
    return this.#file;
  }
}

export function checkText(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? null : "is not a text";
}

/** A name that is safe in paths, URLs and on the wire. */
export function checkName(value: unknown): string | null {
  if (typeof value !== "string") return "is not a text";
  return /^[A-Za-z0-9@][A-Za-z0-9._@-]{0,99}$/.test(value) ? null : "is not a name (letters, digits, dot, dash, underscore; at most 100)";
}

export function checkNumber(from: number, to: number): (value: unknown) => string | null {
  return (value) => (Number.isInteger(value) && (value as number) >= from && (value as number) <= to ? null : `is not a whole number from ${from} to ${to}`);
}

export function checkTexts(value: unknown): string | null {
  return Array.isArray(value) && value.every((item) => checkText(item) === null) ? null : "is not a list of texts";
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** "500ms", "60s", "15m", "2h" in milliseconds; NaN for any other text. */
export function toMs(text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  return Math.round(Number(number) * (unitsMs[unit ?? ""] ?? NaN));
}

export function checkDuration(fromMs: number, toMostMs: number): (value: unknown) => string | null {
  return (value) => {
    const ms = typeof value === "string" ? toMs(value) : NaN;
    return ms >= fromMs && ms <= toMostMs ? null : `is not a duration from ${fromMs / 1000} s to ${toMostMs / 3_600_000} h, such as "60s" or "15m"`;
  };
}
