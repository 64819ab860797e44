import { MidflightError } from "./error.ts";

/**
 * Readers for values that came from outside. Each returns the typed value or
 * throws `OBJECT_INVALID` naming the path, so that a bad object is refused
 * before anything is done with it. Unknown keys are ignored: a newer writer may add some.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export function invalid(path: string, expected: string): never {
  throw new MidflightError("OBJECT_INVALID", { what: `${path} is not ${expected}.`, details: { path, expected } });
}

export function asRecord(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) invalid(path, "an object");
  return value as Record<string, unknown>;
}

export function asArray(value: unknown, path: string, max = 100_000): readonly unknown[] {
  if (!Array.isArray(value)) invalid(path, "an array");
  if (value.length > max) invalid(path, `an array of at most ${max}`);
  return value;
}

export function asString(value: unknown, path: string, max = 4096): string {
  if (typeof value !== "string") invalid(path, "a string");
  if (value.length > max) invalid(path, `a string of at most ${max} characters`);
  return value;
}

export function asNumber(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) invalid(path, "a number");
  return value;
}

/** A whole number from 0 up. */
export function asCount(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) invalid(path, "a whole number");
  return value as number;
}

export function asOneOf<T extends string>(value: unknown, allowed: readonly T[], path: string): T {
  if (!allowed.includes(value as T)) invalid(path, `one of ${allowed.join(", ")}`);
  return value as T;
}

export function asNullable<T>(value: unknown, read: (value: unknown, path: string) => T, path: string): T | null {
  return value === null || value === undefined ? null : read(value, path);
}
