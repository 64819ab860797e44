import { instrumentationVersion, type AppShape, type UnitAnalysis } from "@midflight/planner";
import { MidflightError, type Digest, type FileEntry, type FlatTree, type Registry, type Release, type ReleaseId } from "@midflight/protocol";
import { verifyRelease, type TrustRoot } from "@midflight/trust";
import type { Analyses } from "./analyses.ts";
import { decodeDependencies, noDependencies } from "./dependencies.ts";
import { isComparedText } from "./unit-kind.ts";
import { readBlobs, readTree } from "./read-tree.ts";

/** A release as the planner compares it. */
export interface ReleaseShape {
  readonly release: Release;
  readonly files: FlatTree;
  readonly directories: ReadonlySet<Digest>;
  /** Null: its artifacts were made by another instrumentation, so no transition can lead from or to it. */
  readonly shape: AppShape | null;
}

export interface ReleaseShapes {
  /** The signed statement. @throws MidflightError `RELEASE_UNKNOWN`, and what verification throws */
  release(id: ReleaseId): Promise<Release>;
  /** @throws MidflightError `RELEASE_UNKNOWN`, `ARTIFACT_DIGEST_MISMATCH`, and what verification throws */
  get(id: ReleaseId): Promise<ReleaseShape>;
  /** Keeps what is known already, so that it never has to be read back. */
  put(id: ReleaseId, shape: ReleaseShape): void;
  /** Lets go of all others. */
  keep(ids: ReadonlySet<ReleaseId>): void;
}

type Unit = Extract<FileEntry, { kind: "unit" }>;
/** Sources that are fetched and analysed at a time. */
const chunkUnits = 500;

export function createReleaseShapes(registry: Registry, root: TrustRoot, analyses: Analyses): ReleaseShapes {
  const releases = new Map<ReleaseId, Release>();
  const shapes = new Map<ReleaseId, ReleaseShape>();

  async function release(id: ReleaseId): Promise<Release> {
    const known = releases.get(id);
    if (known !== undefined) return known;
    const entry = await registry.entry(id);
    if (entry?.kind !== "release") throw unknown(id);
    const verified = verifyRelease(entry.envelope, root);
    if (verified.id !== id) throw unknown(id);
    releases.set(id, verified.release);
    return verified.release;
  }

  async function load(id: ReleaseId): Promise<ReleaseShape> {
    const statement = await release(id);
    const tree = await readTree(registry, statement.tree);
    const shape = statement.instrumentation === instrumentationVersion ? await analyse(tree.files, statement) : null;
    return { release: statement, ...tree, shape };
  }

  async function analyse(files: FlatTree, { lock, dependencies: record = null }: Release): Promise<AppShape | null> {
    const units = new Map<string, UnitAnalysis>();
    const assets = new Map<string, { digest: Digest; inert: boolean }>();
    const unknownUnits: [string, Unit][] = [];
    for (const [path, entry] of files) {
      if (entry.kind === "asset") assets.set(path, { digest: entry.digest, inert: entry.inert });
      else {
        const known = analyses.known(path, entry.source, entry.format);
        if (known === null) unknownUnits.push([path, entry]);
        else units.set(path, known);
      }
    }
    for (let at = 0; at < unknownUnits.length; at += chunkUnits) {
      const chunk = unknownUnits.slice(at, at + chunkUnits);
      const sources = await readBlobs(registry, chunk.map(([, entry]) => entry.source));
      for (const [path, entry] of chunk) {
        const source = Buffer.from(sources.get(entry.source) ?? []).toString("utf8");
        const analysis = analyses.analyse(path, source, entry.source, entry.format);
        if (analysis.artifactDigest !== entry.artifact) return null;
        units.set(path, analysis);
      }
    }
    const json = [...files].filter(([path, entry]) => isComparedText(path, entry)) as [string, Extract<FileEntry, { kind: "asset" }>][];
    const read = await readBlobs(registry, json.map(([, { digest }]) => digest));
    const texts = new Map(json.map(([path, { digest }]) => [path, Buffer.from(read.get(digest)!).toString("utf8")]));
    const { dependencies, links } = record === null ? noDependencies : decodeDependencies((await readBlobs(registry, [record])).get(record)!);
    return { units, assets, lock, dependencies, texts, links };
  }

  return {
    release,
    async get(id) {
      let shape = shapes.get(id);
      if (shape === undefined) shapes.set(id, (shape = await load(id)));
      return shape;
    },
    put(id, shape) {
      releases.set(id, shape.release);
      shapes.set(id, shape);
    },
    keep(ids) {
      for (const id of shapes.keys()) if (!ids.has(id)) shapes.delete(id);
    },
  };
}

function unknown(id: ReleaseId): MidflightError {
  return new MidflightError("RELEASE_UNKNOWN", {
    what: `There is no release ${id}.`,
    why: "It is no longer kept, or its name is wrong.",
    state: "Nothing was done; what was live stays live.",
    fix: ["midflight releases"],
    details: { release: id },
  });
}
