import { createRequire, isBuiltin } from "node:module";

/** A module of Node's own, at once; undefined for every other. */
export function getBuiltin(specifier: string, from: string): Readonly<Record<string, unknown>> | undefined {
  if (!isBuiltin(specifier)) return undefined;
  const exported = createRequire(from)(specifier) as Readonly<Record<string, unknown>>;
  return { ...exported, default: exported };
}
