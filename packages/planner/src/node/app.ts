import type { Digest } from "@midflight/protocol";
import { ownPackagesOf } from "./packages.ts";
import type { Dependencies } from "./dependencies.ts";
import type { UnitAnalysis, UnitDetail } from "./analyze.ts";

/** The whole state of an app's code, as the planner compares it. Keep the object: what is derived from it is kept with it. */
export interface AppShape {
  readonly units: ReadonlyMap<string, UnitAnalysis>;
  readonly assets: ReadonlyMap<string, { readonly digest: Digest; readonly inert: boolean }>;
  /** Digest of the dependency lock file; null if there is none. */
  readonly lock: Digest | null;
  /** What lock file and installation say of packages; null or left out if nothing is known. */
  readonly dependencies?: Dependencies | null;
  /** Of JSON files, the text, by path. Left out: nothing is known of what they say. */
  readonly texts?: ReadonlyMap<string, string>;
  /** Where `node_modules` leads back into the app, by place; "" where it leads elsewhere. */
  readonly links?: ReadonlyMap<string, string>;
}

export function detailOf(app: AppShape, unit: string): UnitDetail | null {
  return app.units.get(unit)?.detail ?? null;
}

/** Which units name a unit in an import of any kind. */
export interface Importers {
  of(unit: string): Iterable<string>;
}

const importers = new WeakMap<AppShape, Importers>();

export function importersOf(app: AppShape): Importers {
  let made = importers.get(app);
  if (made === undefined) importers.set(app, (made = indexImporters(app, app.units.keys(), null, new Set())));
  return made;
}

/** Derives a shape's importers from those of another: only the units that differ are looked at. */
export function deriveImporters(app: AppShape, from: AppShape, differing: ReadonlySet<string>): void {
  if (!importers.has(app)) importers.set(app, indexImporters(app, differing, importersOf(from), differing));
}

function indexImporters(app: AppShape, units: Iterable<string>, base: Importers | null, differing: ReadonlySet<string>): Importers {
  const map = new Map<string, string[]>();
  for (const path of units) {
    for (const unit of new Set(app.units.get(path)?.imports.map(({ specifier }) => resolveUnit(app, path, specifier)))) {
      if (unit === null) continue;
      const list = map.get(unit);
      if (list === undefined) map.set(unit, [path]);
      else list.push(path);
    }
  }
  return {
    *of(unit) {
      yield* map.get(unit) ?? [];
      if (base !== null) for (const path of base.of(unit)) if (!differing.has(path) && app.units.has(path)) yield path;
    },
  };
}

const lastExtension = ".cts";
const extensions = ["", ".js", ".mjs", ".cjs", ".ts", ".mts", lastExtension, "/index.js", "/index.cjs", "/index.ts"];

/** The app's unit that a specifier means, from another unit; null for packages of others, Node's own and what is not there. */
export function resolveUnit(app: AppShape, from: string, specifier: string): string | null {
  return isRelative(specifier) ? resolveRelative(app, from, specifier) : (candidatesOf(app, from, specifier)[0] ?? null);
}

/** The app's units that a package's specifier may mean: more than one if that depends on conditions that the command sets. */
export function candidatesOf(app: AppShape, from: string, specifier: string): readonly string[] {
  if (isRelative(specifier) || specifier.startsWith("node:") || app.texts === undefined) return [];
  const importer = app.units.get(from);
  const ways = importer?.format !== "cjs" ? (["import"] as const) : importer.imports.some((imported) => imported.specifier === specifier && imported.kind === "dynamic") ? (["require", "import"] as const) : (["require"] as const);
  const targets = ways.flatMap((way) => ownPackagesOf(app).find(from, specifier.replace(/[?].*$/s, ""), way));
  const units = targets.map(({ path, isExact }) => (isExact ? (app.units.has(path) ? path : null) : findFile(app, path)));
  return [...new Set(units)].filter((unit) => unit !== null);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../") || specifier === "." || specifier === "..";
}

function resolveRelative(app: AppShape, from: string, specifier: string): string | null {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split(/[?#]/)[0]!.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return findFile(app, parts.join("/"));
}

function findFile(app: AppShape, path: string): string | null {
  for (const extension of extensions) {
    if (app.units.has(path + extension)) return path + extension;
    if (extension !== lastExtension) continue;
    const main = app.texts === undefined ? null : ownPackagesOf(app).mainOf(path);
    if (main !== null && main !== path) for (const ending of extensions) if (app.units.has(main + ending)) return main + ending;
  }
  // Loaders of TypeScript take `./x.js` for `./x.ts`, as its compiler does.
  const twin = /\.[mc]?js$/.test(path) ? path.replace(/js$/, "ts") : null;
  return twin !== null && app.units.has(twin) ? twin : null;
}

export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith("node:") || builtins.has(specifier.split("/")[0]!);
}

const builtins = new Set([
  "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2",
  "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls",
  "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib",
]);

/** Where an exported name is defined. */
export type Origin =
  | { readonly kind: "binding"; readonly unit: string; readonly local: string }
  /** In a module outside the app, or in a unit without ES exports. */
  | { readonly kind: "outside" }
  | { readonly kind: "missing" };

/** Follows re-exports to the binding behind an export (ECMA-262 §16.2.1.7.2.3 ResolveExport). */
export function findOrigin(app: AppShape, unit: string, name: string, seen: Set<string> = new Set()): Origin {
  const id = `${unit}\0${name}`;
  if (seen.has(id)) return { kind: "missing" };
  seen.add(id);
  const analysis = app.units.get(unit);
  if (!analysis?.detail || analysis.format === "cjs") return { kind: "outside" };
  const { facts } = analysis.detail;
  const found = facts.exports.get(name);
  if (found?.kind === "local") {
    const imported = facts.imports.get(found.local);
    return imported ? fromSpecifier(app, unit, imported.specifier, imported.imported, seen) : { kind: "binding", unit, local: found.local };
  }
  if (found) return fromSpecifier(app, unit, found.specifier, found.imported, seen);
  let outside = false;
  for (const specifier of facts.exportStars) {
    const origin = fromSpecifier(app, unit, specifier, name, seen);
    if (origin.kind === "binding") return origin;
    if (origin.kind === "outside") outside = true;
  }
  return { kind: outside ? "outside" : "missing" };
}

function fromSpecifier(app: AppShape, from: string, specifier: string, imported: string, seen: Set<string>): Origin {
  const unit = resolveUnit(app, from, specifier);
  if (unit === null || imported === "*") return { kind: "outside" };
  return findOrigin(app, unit, imported, seen);
}

/** Units that import a unit, directly or through re-exports. */
export function reachersOf(app: AppShape, unit: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [unit];
  const seen = new Set(open);
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const path of importersOf(app).of(at)) {
      reached.add(path);
      const facts = app.units.get(path)?.detail?.facts;
      const isReexporting = facts !== undefined && (facts.exportStars.length > 0 || [...facts.exports.values()].some((binding) => binding.kind === "from" || facts.imports.has(binding.local)));
      if (isReexporting && !seen.has(path)) {
        seen.add(path);
        open.push(path);
      }
    }
  }
  return reached;
}
