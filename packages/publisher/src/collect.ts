import { setImmediate as turn } from "node:timers/promises";
import type { AppShape, UnitAnalysis } from "@midflight/planner";
import type { Digest, FileEntry, FlatTree } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { createAnalyses, type Analyses } from "./analyses.ts";
import { findUnresolved, unresolvedError } from "./check-imports.ts";
import { requireEntries, type RunCommand } from "./entry-point.ts";
import { noDependencies, type EncodedDependencies } from "./dependencies.ts";
import { createMerkleTree } from "./merkle.ts";
import type { Batch, FileContent } from "./source.ts";
import { stripTypes, syntaxError } from "./strip-types.ts";
import { createFileKinds, isComparedText, type FileKind } from "./unit-kind.ts";
import { MapOwners, releasedMap } from "./unit-maps.ts";

/** A batch as it will be released: types stripped, instrumented, and found whole. */
export interface CollectedTree {
  readonly root: Digest;
  readonly files: FlatTree;
  /** Encoding of each directory of the Merkle tree. */
  readonly directories: ReadonlyMap<Digest, Uint8Array>;
  /** What the planner compares. */
  readonly shape: AppShape;
  readonly lock: Digest | null;
  readonly dependencies: EncodedDependencies | null;
  /** The batch it was made from. */
  readonly batch: Batch;
  /** What must be stored for one file: digest → bytes. @throws MidflightError `BUILD_UNSETTLED` if an asset changed meanwhile */
  blobs(path: string): ReadonlyMap<Digest, () => Uint8Array>;
}

export interface Collector {
  /** What is known of texts, to be shared with whoever reads releases back. */
  readonly analyses: Analyses;
  /**
   * Turns a batch into a tree; unchanged files cost nothing.
   * @throws MidflightError `UNIT_SYNTAX`, `BUILD_UNRESOLVED_IMPORT`, `ENTRY_MISSING`; a later batch is collected all the same
   */
  collect(batch: Batch): Promise<CollectedTree>;
}

interface Collected {
  readonly content: FileContent;
  readonly kind: FileKind;
  readonly entry: FileEntry;
  /** Null for an asset. */
  readonly unit: UnitAnalysis | null;
  /** Of a JSON file that is not large; the planner compares what it says. */
  readonly json: Uint8Array | null;
  /** For a source map: the unit whose artifact it is made for. */
  readonly mapOf?: UnitAnalysis;
}

interface Asset {
  readonly digest: Digest;
  readonly inert: boolean;
}

/** After this much work the event loop gets its turn: a registry may be served by the same process. */
const sliceMs = 10;

export interface CollectorOptions {
  readonly commands: readonly RunCommand[];
  /** Another collector's, so that what both trees hold is analysed once. Default: its own. */
  readonly analyses?: Analyses;
}

export function createCollector(options: CollectorOptions): Collector {
  const analyses = options.analyses ?? createAnalyses();
  const merkle = createMerkleTree(sha256);
  const made = new WeakMap<FileContent, { readonly path: string; readonly collected: Collected }>();
  let state: ReadonlyMap<string, Collected> = new Map();
  let packages: readonly (FileContent | string)[] = [];
  let kindOf: (path: string) => FileKind = createFileKinds(new Map());
  const owners = new MapOwners();
  let running: Promise<unknown> = Promise.resolve();

  function make(path: string, content: FileContent, kind: FileKind): Collected {
    const before = made.get(content);
    if (before?.path === path && sameKind(before.collected.kind, kind)) return before.collected;
    const collected = kind.kind === "asset" ? makeAsset(path, content, kind) : makeUnit(path, content, kind);
    made.set(content, { path, collected });
    return collected;
  }

  function makeUnit(path: string, content: FileContent, kind: Extract<FileKind, { kind: "unit" }>): Collected {
    const text = Buffer.from(content.read()).toString("utf8").replace(/^\ufeff/, "");
    const source = kind.isTyped ? stripTypes(path, text) : text;
    const digest = sha256(source);
    const unit = analyse(path, source, digest, kind.format);
    if (unit.refused?.code === "UNIT_SYNTAX") throw syntaxError(path, unit.refused.line, unit.refused.column, unit.refused.reason);
    const entry: FileEntry = { kind: "unit", format: unit.format, source: digest, artifact: unit.artifactDigest, bytes: Buffer.byteLength(unit.artifact) };
    return { content, kind, entry, unit, json: null };
  }

  /** Without a package.json that decides, Node takes a file for CommonJS unless only module syntax makes sense of it. */
  function analyse(path: string, source: string, digest: Digest, format: "esm" | "cjs" | "open"): UnitAnalysis {
    if (format !== "open") return analyses.analyse(path, source, digest, format);
    const cjs = analyses.analyse(path, source, digest, "cjs");
    if (cjs.refused?.code !== "UNIT_SYNTAX") return cjs;
    const esm = analyses.analyse(path, source, digest, "esm");
    return esm.refused?.code === "UNIT_SYNTAX" && !/^\s*(?:import|export)\b/m.test(source) ? cjs : esm;
  }

  /** What package.json files say changes rarely, and then for all files below. */
  function refreshKinds(batch: Batch): boolean {
    const now: (FileContent | string)[] = [];
    for (const [path, content] of batch.files) if (path.endsWith("package.json")) now.push(path, content);
    if (now.length === packages.length && now.every((item, at) => item === packages[at])) return false;
    kindOf = createFileKinds(batch.files);
    packages = now;
    return true;
  }

  async function collect(batch: Batch): Promise<CollectedTree> {
    // What was asked of a registry just before goes out first.
    await turn();
    const isRecheck = refreshKinds(batch);
    const changed = new Map<string, Collected>();
    let sliceEnd = performance.now() + sliceMs;
    for (const [path, content] of batch.files) {
      const before = state.get(path);
      if (before?.content === content && (!isRecheck || sameKind(before.kind, kindOf(path)))) continue;
      changed.set(path, make(path, content, kindOf(path)));
      if (performance.now() < sliceEnd) continue;
      await turn();
      sliceEnd = performance.now() + sliceMs;
    }
    const isNew = [...changed.keys()].some((path) => !state.has(path));
    const removed = isNew || batch.files.size !== state.size ? [...state.keys()].filter((path) => !batch.files.has(path)) : [];
    requireEntries(options.commands, (path) => batch.files.has(path));
    requireImports(batch, removed.length > 0 ? new Map([...state, ...changed]) : changed);
    moveMaps(batch, changed, removed);
    return apply(batch, changed, removed, isNew);
  }

  /** Instrumenting moved what the source maps of changed units speak of. */
  function moveMaps(batch: Batch, changed: Map<string, Collected>, removed: readonly string[]): void {
    const maps = new Set<string>();
    const update = (path: string, after: UnitAnalysis | null): void => {
      for (const map of owners.update(path, state.get(path)?.unit ?? null, after)) maps.add(map);
    };
    for (const path of removed) update(path, null);
    for (const [path, { unit, entry }] of changed) {
      update(path, unit);
      if (entry.kind === "asset" && entry.inert && path.endsWith(".map")) maps.add(path);
    }
    for (const path of maps) {
      const content = batch.files.get(path);
      const kind = kindOf(path);
      if (content === undefined || kind.kind !== "asset") continue;
      const owner = owners.of(path);
      const unit = owner === null ? null : ((changed.get(owner) ?? state.get(owner))?.unit ?? null);
      const before = changed.get(path) ?? state.get(path);
      if (before === undefined || before.mapOf !== (unit ?? undefined) || before.content !== content) changed.set(path, unit === null ? makeAsset(path, content, kind) : makeMap(path, content, kind, unit));
    }
  }

  function requireImports(batch: Batch, suspects: ReadonlyMap<string, Collected>): void {
    const unresolved = [...suspects].flatMap(([path, { unit }]) =>
      unit === null || !batch.files.has(path) ? [] : findUnresolved(path, unit.imports, (target) => batch.files.has(target)),
    );
    if (unresolved.length > 0) throw unresolvedError(unresolved);
  }

  let files: FlatTree = new Map();
  let shape: AppShape = { units: new Map(), assets: new Map(), lock: null, ...noDependencies };

  function apply(batch: Batch, changed: ReadonlyMap<string, Collected>, removed: readonly string[], isNew: boolean): CollectedTree {
    const lock = batch.lock?.digest ?? null;
    const encoded = batch.dependencies ?? null;
    const { dependencies, links } = encoded ?? noDependencies;
    if (changed.size > 0 || removed.length > 0) {
      const next = new Map(state);
      // Removals first: a folder may have become a file.
      for (const path of removed) {
        next.delete(path);
        merkle.set(path, null);
      }
      for (const [path, collected] of changed) {
        next.set(path, collected);
        merkle.set(path, collected.entry);
      }
      state = isNew ? new Map([...next].sort(byPath)) : next;
      if (isNew || removed.length > 0 || [...changed].some(([path, { unit }]) => (unit === null) === shape.units.has(path))) rebuild();
      else update(changed);
    }
    if (shape.lock !== lock || shape.dependencies !== dependencies || shape.links !== links) shape = { ...shape, lock, dependencies, links };
    const held = state;
    return { ...merkle.close(), files, shape, lock, dependencies: encoded, batch, blobs: (path) => blobsOf(held.get(path)) };
  }

  function rebuild(): void {
    const units = new Map<string, UnitAnalysis>();
    const assets = new Map<string, Asset>();
    const texts = new Map<string, string>();
    files = new Map(Array.from(state, ([path, { entry }]) => [path, entry]));
    for (const [path, { entry, unit, json }] of state) {
      if (json !== null) texts.set(path, Buffer.from(json).toString("utf8"));
      if (unit !== null) units.set(path, unit);
      else if (entry.kind === "asset") assets.set(path, { digest: entry.digest, inert: entry.inert });
    }
    shape = { ...shape, units, assets, texts };
  }

  /** The same paths as before: what is copied keeps its order. */
  function update(changed: ReadonlyMap<string, Collected>): void {
    const nextFiles = new Map(files);
    const units = new Map(shape.units);
    const assets = [...changed.values()].some(({ unit }) => unit === null) ? new Map(shape.assets) : shape.assets;
    // Kept as it is if no JSON file changed: what is derived from it is kept with it.
    const texts = [...changed].some(([path, { json }]) => json !== null || shape.texts?.has(path) === true) ? new Map(shape.texts) : null;
    for (const [path, { entry, unit, json }] of changed) {
      if (json === null) texts?.delete(path);
      else texts?.set(path, Buffer.from(json).toString("utf8"));
      nextFiles.set(path, entry);
      if (unit !== null) units.set(path, unit);
      else if (entry.kind === "asset" && assets instanceof Map) assets.set(path, { digest: entry.digest, inert: entry.inert });
    }
    files = nextFiles;
    shape = { ...shape, units, assets, ...(texts !== null && { texts }) };
  }

  return {
    analyses,
    collect(batch) {
      const next = running.then(() => collect(batch));
      running = next.catch(() => undefined);
      return next;
    },
  };
}

function makeAsset(path: string, content: FileContent, kind: Extract<FileKind, { kind: "asset" }>): Collected {
  const entry: FileEntry = { kind: "asset", digest: content.digest, bytes: content.bytes, inert: kind.isInert };
  return { content, kind, entry, unit: null, json: isComparedText(path, entry) ? content.read() : null };
}

function makeMap(path: string, content: FileContent, kind: Extract<FileKind, { kind: "asset" }>, unit: UnitAnalysis): Collected {
  const made = releasedMap(unit, content.read());
  if (made === null) return { ...makeAsset(path, content, kind), mapOf: unit };
  return { content, kind, entry: { kind: "asset", digest: sha256(made), bytes: made.byteLength, inert: kind.isInert }, unit: null, json: null, mapOf: unit };
}

function sameKind(a: FileKind, b: FileKind): boolean {
  if (a.kind === "unit") return b.kind === "unit" && a.format === b.format && a.isTyped === b.isTyped;
  return b.kind === "asset" && a.isInert === b.isInert;
}

function blobsOf(collected: Collected | undefined): ReadonlyMap<Digest, () => Uint8Array> {
  if (collected === undefined) return new Map();
  const { entry, unit, content, json, mapOf } = collected;
  if (entry.kind === "asset") return new Map([[entry.digest, () => (mapOf === undefined ? json : releasedMap(mapOf, content.read())) ?? content.read()]]);
  return new Map([
    [entry.source, () => Buffer.from(unit?.source ?? "")],
    [entry.artifact, () => Buffer.from(unit?.artifact ?? "")],
  ]);
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
