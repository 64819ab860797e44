import type { Dependencies, InstalledPackage, PackageList } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

/** What a release says of the packages that its code stands on, as a blob beside its tree. */
export interface DependencyRecord {
  readonly dependencies: Dependencies;
  /** Where the project's `node_modules` leads back into the app: `node_modules/@shop/lib` → `packages/lib`. */
  readonly links: ReadonlyMap<string, string>;
}

export interface EncodedDependencies extends DependencyRecord {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export const noDependencies: DependencyRecord = { dependencies: { locked: null, installed: null }, links: new Map() };

export function encodeDependencies(record: DependencyRecord): EncodedDependencies {
  const { dependencies, links } = record;
  const list = (packages: PackageList | null): unknown =>
    packages === null ? null : Object.fromEntries([...packages].sort(byKey).map(([place, { name, version, content }]) => [place, [name, version, content]]));
  const text = JSON.stringify({ locked: list(dependencies.locked), installed: list(dependencies.installed), links: Object.fromEntries([...links].sort(byKey)) });
  const bytes = Buffer.from(text);
  return { ...record, bytes, digest: sha256(bytes) };
}

/** Reads what `encodeDependencies` wrote; whatever is missing or of another shape is unknown. */
export function decodeDependencies(bytes: Uint8Array): DependencyRecord {
  let json: { locked?: unknown; installed?: unknown; links?: unknown };
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof json;
  } catch {
    return noDependencies;
  }
  const links = entriesOf(json.links).flatMap(([from, to]): [string, string][] => (typeof to === "string" ? [[from, to]] : []));
  return { dependencies: { locked: listOf(json.locked), installed: listOf(json.installed) }, links: new Map(links) };
}

function listOf(value: unknown): PackageList | null {
  if (typeof value !== "object" || value === null) return null;
  const out = new Map<string, InstalledPackage>();
  for (const [place, entry] of entriesOf(value)) {
    const [name, version, content] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof name !== "string" || typeof version !== "string" || typeof content !== "string") return null;
    out.set(place, { name, version, content });
  }
  return out;
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
