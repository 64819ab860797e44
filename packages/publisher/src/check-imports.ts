import path from "node:path";
import type { ImportedSpecifier } from "@midflight/planner";
import { MidflightError } from "@midflight/protocol";

/** A relative import whose file is not part of the tree. */
export interface UnresolvedImport {
  readonly unit: string;
  readonly line: number;
  readonly specifier: string;
}

const endings = ["", ".js", ".json", ".node", ".mjs", ".cjs", ".ts", ".mts", ".cts", "/index.js", "/index.json", "/index.node", "/index.mjs", "/index.cjs", "/index.ts", "/index.mts", "/index.cts", "/package.json"];
const typedTwin: Readonly<Record<string, string>> = { ".js": ".ts", ".mjs": ".mts", ".cjs": ".cts" };

/**
 * The imports that must resolve while a unit loads and do not. Bare names, package imports (`#x`), URLs and what lies
 * in node_modules are not for us to judge; nor is which of several candidates a loader would choose.
 */
export function findUnresolved(unit: string, imports: readonly ImportedSpecifier[], has: (path: string) => boolean): readonly UnresolvedImport[] {
  const out: UnresolvedImport[] = [];
  for (const { specifier, line, isEager } of imports) {
    if (isEager && /^\.{1,2}(?:\/|$)/.test(specifier) && !resolves(unit, specifier, has)) out.push({ unit, line, specifier });
  }
  return out;
}

function resolves(unit: string, specifier: string, has: (path: string) => boolean): boolean {
  const target = path.posix.join(path.posix.dirname(unit), decode(specifier.replace(/[?#].*$/s, ""))).replace(/\/$/, "");
  if (target.split("/").includes("node_modules")) return true;
  if (endings.some((ending) => has(target + ending))) return true;
  const twin = typedTwin[path.posix.extname(target)];
  return twin !== undefined && has(target.slice(0, -path.posix.extname(target).length) + twin);
}

function decode(specifier: string): string {
  try {
    return decodeURIComponent(specifier);
  } catch {
    return specifier;
  }
}

export function unresolvedError(unresolved: readonly UnresolvedImport[]): MidflightError {
  const [first, ...rest] = unresolved;
  const { unit, line, specifier } = first!;
  const others = rest.slice(0, 5).map((u) => `${u.unit}:${u.line} ("${u.specifier}")`);
  const isOutside = path.posix.join(path.posix.dirname(unit), specifier).startsWith("../");
  return new MidflightError("BUILD_UNRESOLVED_IMPORT", {
    what: `${unit}:${line} imports "${specifier}", which is not part of the app.${others.length > 0 ? ` Likewise ${others.join(", ")}${rest.length > 5 ? ` and ${rest.length - 5} more` : ""}.` : ""}`,
    why: isOutside ? "It lies outside of the project's folder." : "The build is not finished, the file has another name, or it lies outside of `code` and `assets`.",
    state: "Nothing was published; what was live stays live.",
    fix: ["Let the build end, then deploy again.", "Correct the import, or add the file's folder to `code` or `assets`."],
    details: { path: unit, line, specifier, count: unresolved.length },
  });
}
