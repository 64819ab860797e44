import type { Hash } from "@midflight/protocol";
import { analyzeUnit, type UnitAnalysis, type UnitDetail } from "./analyze.ts";
import { candidatesOf, type AppShape } from "./app.ts";
import type { ImportBinding } from "./facts.ts";
import type { Findings } from "./findings.ts";
import type { Node } from "./syntax.ts";

/** Who reads a JSON file by a specifier that is written out. */
interface Reader {
  readonly unit: string;
  readonly specifier: string;
  readonly line: number;
  /** What it is called there; null where it has no name that an update could give another value. */
  readonly local: string | null;
}

/** Two shapes in which JSON files that changed, and that only imports read, stand as units that export one constant. */
export interface JsonUnits {
  readonly boot: AppShape;
  readonly target: AppShape;
  /** What is dealt with: such units, and files that `findings` has heard of. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Finds JSON files that changed and whose value reaches the app by imports alone: each importer's name can be given the
 * new value. The others are left to be compared as files, and `findings` hears who reads them.
 */
export function takeJsonUnits(boot: AppShape, target: AppShape, hash: Hash, findings: Findings): JsonUnits {
  const changed = [...(boot.texts ?? [])].filter(([path, text]) => target.texts?.has(path) === true && target.texts.get(path) !== text && !/(?:^|\/)package\.json$/.test(path));
  if (changed.length === 0) return { boot, target, paths: new Set() };
  const paths = new Set<string>();
  const units: [Map<string, UnitAnalysis>, Map<string, UnitAnalysis>] = [new Map(boot.units), new Map(target.units)];
  for (const [path] of changed) {
    const readers = [readersOf(boot, path), readersOf(target, path)] as const;
    const blocker = blockerOf(path, boot, readers[0]) ?? blockerOf(path, target, readers[1]);
    const made = [asUnit(path, boot.texts!.get(path)!, hash), asUnit(path, target.texts!.get(path)!, hash)] as const;
    if (blocker !== null || made[0] === null || made[1] === null) {
      paths.add(path);
      const places = new Set([...readers[0], ...readers[1]].map(({ unit, line }) => `${unit}:${line} reads it`));
      findings.block(path, blocker ?? (isJson(target.texts!.get(path)!) ? "it cannot be taken apart as a value" : "it is no valid JSON: what imports it cannot start with it"), [...places].slice(0, 5));
      continue;
    }
    paths.add(path);
    for (const side of [0, 1] as const) {
      units[side].set(path, made[side]!);
      for (const reader of readers[side]) units[side].set(reader.unit, importing(units[side].get(reader.unit)!, reader));
    }
  }
  return { boot: { ...boot, units: units[0] }, target: { ...target, units: units[1] }, paths };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Why an app may have more of a JSON file than the names of its importers; null if it has not. */
function blockerOf(path: string, app: AppShape, readers: readonly Reader[]): string | null {
  const unnamed = readers.find(({ local }) => local === null);
  if (unnamed !== undefined) return `${unnamed.unit} reads it otherwise than by a name of its own at the top level`;
  if (readers.length === 0) return "a file changed that the process may have read";
  const name = path.slice(path.lastIndexOf("/") + 1);
  for (const [unit, { source, imports }] of app.units) {
    const spoken = source.split(name).length - 1;
    const imported = imports.filter(({ specifier }) => specifier.includes(name)).length;
    if (spoken > imported) return `${unit} speaks of it beside importing it, and may have read it as a file`;
    if (imports.some(({ specifier }) => /^(?:node:)?fs(?:\/promises)?$/.test(specifier)) && readsByComputedName(source)) return `${unit} reads files whose names are computed, and may have read this one`;
  }
  return null;
}

/** A call that reads a file or a folder whose name is not written out. */
function readsByComputedName(source: string): boolean {
  return /\b(?:readFile|readdir|createReadStream|open|opendir|openAsBlob|glob)(?:Sync)?\s*\(\s*(?!["'`]|new URL\(\s*["'])/.test(source);
}

function readersOf(app: AppShape, path: string): readonly Reader[] {
  const out: Reader[] = [];
  for (const [unit, { imports, detail, format }] of app.units) {
    const own = imports.filter(({ specifier }) => leadsTo(app, unit, specifier, path));
    for (const { specifier, line } of own) {
      const isOnly = own.length === 1 && specifier.endsWith(".json");
      out.push({ unit, specifier, line, local: detail !== null && isOnly ? (format === "cjs" ? requiredAs(detail, specifier) : importedAs(detail, specifier)) : null });
    }
  }
  return out;
}

function leadsTo(app: AppShape, from: string, specifier: string, path: string): boolean {
  if (!specifier.startsWith(".")) return candidatesOf(withFile(app, path), from, specifier).includes(path);
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split(/[?#]/)[0]!.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  const found = parts.join("/");
  return found === path || `${found}.json` === path || `${found}/index.json` === path;
}

const withFiles = new WeakMap<AppShape, Map<string, AppShape>>();

/** The same app with a file that names can lead to. */
function withFile(app: AppShape, path: string): AppShape {
  let known = withFiles.get(app);
  if (known === undefined) withFiles.set(app, (known = new Map()));
  let made = known.get(path);
  if (made === undefined) known.set(path, (made = { ...app, units: new Map(app.units).set(path, nothing(path)) }));
  return made;
}

function nothing(path: string): UnitAnalysis {
  return { path, format: "esm", source: "", artifact: "", digest: "sha256:", artifactDigest: "sha256:", refused: null, imports: [], mapFile: null, detail: null };
}

/** `import rates from "./rates.json"`, and the name goes on to nobody. */
function importedAs({ facts }: UnitDetail, specifier: string): string | null {
  const bindings = [...facts.imports.values()].filter((imported) => imported.specifier === specifier);
  const isHandedOn = [...facts.exports.values()].some((exported) => (exported.kind === "from" ? exported.specifier === specifier : exported.local === bindings[0]?.local)) || facts.exportStars.includes(specifier);
  return bindings.length === 1 && bindings[0]!.imported === "default" && !isHandedOn ? bindings[0]!.local : null;
}

/** `const rates = require("./rates.json");` at the top level. */
function requiredAs({ program }: UnitDetail, specifier: string): string | null {
  if (program.type !== "Program") return null;
  for (const statement of program.body) {
    if (statement.type !== "VariableDeclaration" || statement.kind !== "const") continue;
    for (const { id, init } of statement.declarations) if (id.type === "Identifier" && init && isRequireOf(init, specifier)) return id.name;
  }
  return null;
}

function isRequireOf(node: Node, specifier: string): boolean {
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "require") return false;
  const [argument] = node.arguments;
  return argument?.type === "Literal" && argument.value === specifier;
}

/** An importer whose name for the value can be given another one: a required constant then is as good as an import. */
function importing(analysis: UnitAnalysis, { specifier, local }: Reader): UnitAnalysis {
  if (analysis.format !== "cjs") return analysis;
  const detail = analysis.detail!;
  const declarations = new Map(detail.facts.declarations);
  const start = declarations.get(local!)?.start ?? 0;
  declarations.delete(local!);
  const binding: ImportBinding = { local: local!, specifier, imported: "default", start };
  return {
    ...analysis,
    imports: analysis.imports.map((imported) => (imported.specifier === specifier ? { ...imported, kind: "static" } : imported)),
    detail: { ...detail, facts: { ...detail.facts, declarations, imports: new Map(detail.facts.imports).set(local!, binding) } },
  };
}

const prefix = "const json = (";

/** A JSON text as a unit: JSON is a part of JavaScript, but for `__proto__`, which would set what objects inherit. */
function asUnit(path: string, text: string, hash: Hash): UnitAnalysis | null {
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return null;
  }
  if (text.includes("__proto__")) return null;
  const { detail } = analyzeUnit(path, `${prefix}${text});\nexport { json as default };\n`, "esm", hash);
  if (detail === null) return null;
  const digest = hash(text);
  return { path, format: "esm", source: text, artifact: text, digest, artifactDigest: digest, refused: null, imports: [], mapFile: null, detail: { ...detail, map: (position) => position - prefix.length } };
}
