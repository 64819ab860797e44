import type { Digest, Hash } from "@midflight/protocol";
import { reservedPrefix } from "@midflight/protocol";
import { readFacts, type Facts } from "./facts.ts";
import { readHooks, type Hooks } from "./hooks.ts";
import { instrument, type Placement } from "./instrument.ts";
import { readImports, type ImportedSpecifier } from "./specifiers.ts";
import { isInline, mapFileOf, mapLink, moveInline, moveMap, type MapLink } from "./source-map.ts";
import { resolveScopes, type Scopes } from "./scope.ts";
import { parse, type Syntax } from "./statements.ts";
import { Lines, type Format } from "./syntax.ts";
import { Normaliser } from "./text.ts";
import type { Site } from "./sites.ts";
import type { Program } from "acorn";

/** Why a unit is published as it is, without guards: it runs, but each change of it needs a new process. */
export interface UnitRefusal {
  /** `UNIT_SYNTAX` refuses the whole tree; the others only live changes of the unit. */
  readonly code: "UNIT_SYNTAX" | "UNIT_MINIFIED" | "UNIT_UNSUPPORTED";
  readonly reason: string;
  readonly line: number;
  readonly column: number;
}

/** What the planner knows of one text of one unit. Depends on nothing else, so it can be kept by (path, source). */
export interface UnitAnalysis {
  readonly path: string;
  readonly format: Format;
  readonly source: string;
  /** The text as processes load it; equals `source` if refused. */
  readonly artifact: string;
  /** Of the source, and of the artifact. */
  readonly digest: Digest;
  readonly artifactDigest: Digest;
  readonly refused: UnitRefusal | null;
  /** What it imports, by literal specifier. */
  readonly imports: readonly ImportedSpecifier[];
  /** The file of a source map, as its last line says it; null if it names none, or the map stands in the unit itself. */
  readonly mapFile: string | null;
  /** For the planner only; null if refused. */
  readonly detail: UnitDetail | null;
}

export interface UnitDetail {
  readonly scopes: Scopes;
  readonly facts: Facts;
  readonly text: Normaliser;
  readonly lines: Lines;
  readonly program: Program;
  readonly syntax: Syntax;
  readonly map: (position: number) => number;
  readonly placements: ReadonlyMap<Site, Placement>;
  readonly classDoors: ReadonlyMap<string, readonly [start: number, end: number]>;
  /** Calls to `import()` or `require` whose target is not a literal. */
  readonly hasOpenImport: boolean;
  /** Null if it declares none. */
  readonly hooks: Hooks | null;
}

/** Lines this long on average are a build tool's, not a person's: names and statements do not survive from one to the next. */
const minifiedLineLength = 400;

/**
 * Analyses and instruments a unit's JavaScript. Never throws for what the source says. `former`: an analysis of the same
 * unit; of statements that are the same at the same place it is taken over. What comes out is the same.
 */
export function analyzeUnit(path: string, source: string, format: Format, hash: Hash, former?: UnitAnalysis): UnitAnalysis {
  const digest = hash(source);
  const link = mapLink(source);
  const mapFile = link === null ? null : mapFileOf(link);
  const refuse = (code: UnitRefusal["code"], reason: string, line = 1, column = 1, imports: readonly ImportedSpecifier[] = []): UnitAnalysis => ({
    path, format, source, artifact: source, digest, artifactDigest: digest, refused: { code, reason, line, column }, imports, mapFile, detail: null,
  });
  const parsed = parse(source, format, former?.detail ? { source: former.source, format: former.format, syntax: former.detail.syntax } : null);
  if (parsed.kind === "error") return refuse("UNIT_SYNTAX", parsed.message, parsed.line, parsed.column);
  const { syntax } = parsed;
  const { program, statements } = syntax;
  const lines = new Lines(source);
  const { specifiers, hasOpenImport } = readImports(program, statements.flatMap(({ marks }) => marks.imports), lines);
  if (isMinified(source, link, lines)) return refuse("UNIT_MINIFIED", "it is minified: names and lines are not stable from one build to the next", 1, 1, specifiers);
  const clash = source.indexOf(reservedPrefix);
  if (clash !== -1) return refuse("UNIT_UNSUPPORTED", `it uses names that begin with ${reservedPrefix}`, lines.of(clash), 1, specifiers);
  const isSloppy = format === "cjs" && !program.body.some((s) => s.type === "ExpressionStatement" && s.directive === "use strict");
  const scopes = resolveScopes(syntax, isSloppy, former?.detail?.scopes ?? null);
  if (scopes.isDynamic) return refuse("UNIT_UNSUPPORTED", "it uses direct eval or with: what its names mean is known only at run time", 1, 1, specifiers);
  const text = new Normaliser(source, syntax);
  const facts = readFacts(syntax, source, scopes, text, lines);
  const hooks = source.includes(".hot") ? readHooks(program, format, scopes, lines) : null;
  const made = instrument(path, source, format, syntax, facts.sites, facts.shapes, digest.slice(7, 23), hooks?.problem === null);
  const artifact = link === null ? made.artifact : moveInline({ source, ...made }, link);
  return {
    path, format, source, artifact, digest, artifactDigest: artifact === source ? digest : hash(artifact), refused: null, imports: specifiers, mapFile,
    detail: {
      scopes, facts, text, lines, program, syntax, hasOpenImport, hooks, map: made.map, placements: made.placements, classDoors: made.classDoors,
    },
  };
}

/**
 * The source map of a unit's artifact, from that of its source. Null if the artifact is the source, or if the text is
 * no flat source map of version 3: then the file is good as it is, or of no use.
 */
export function mapArtifact({ source, artifact, detail }: UnitAnalysis, json: string): string | null {
  return detail === null ? null : moveMap(json, { source, artifact, map: detail.map });
}

function isMinified(source: string, link: MapLink | null, lines: Lines): boolean {
  const length = link !== null && isInline(link) ? link.start : source.length;
  return length >= 3000 && length / lines.count > minifiedLineLength;
}
