import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { SourceMaps } from "./source-maps.ts";
import type { AddedUnit } from "./overlay.ts";

type Namespace = Readonly<Record<string, unknown>>;

/**
 * Units that the boot release does not have. Each is written beside its neighbours under a name that holds its
 * digest, so that its own imports resolve as they would and two releases never meet in one file.
 */
export class AddedUnits {
  readonly #directory: string | null;
  readonly #loaded = new Map<string, { readonly digest: string; readonly namespace: Namespace }>();

  readonly #maps: SourceMaps;

  constructor(directory: string | null, maps: SourceMaps) {
    this.#directory = directory;
    this.#maps = maps;
  }

  namespace(unit: string): Namespace | undefined {
    return this.#loaded.get(unit)?.namespace;
  }

  /** Writes and loads what is not loaded yet. Null if all is there. */
  async load(units: readonly AddedUnit[]): Promise<{ readonly reason: string; readonly unit: string } | null> {
    for (const added of units) {
      const before = this.#loaded.get(added.unit);
      if (before !== undefined && before.digest !== added.digest) return { unit: added.unit, reason: "an earlier release added this module and it changed since; what holds its functions keeps the old ones" };
    }
    const fresh = units.filter((added) => !this.#loaded.has(added.unit));
    try {
      // All files first: they may import each other.
      const paths: string[] = [];
      for (const added of fresh) paths.push(this.#write(added, fresh, await this.#maps.added(added)));
      for (const [i, added] of fresh.entries()) {
        const path = paths[i]!;
        const namespace = added.format === "cjs" ? { default: createRequire(path)(path) as unknown } : ((await import(pathToFileURL(path).href)) as Namespace);
        this.#loaded.set(added.unit, { digest: added.digest, namespace });
      }
      return null;
    } catch (error) {
      return { unit: fresh[0]?.unit ?? "", reason: `loading a new module threw ${error instanceof Error ? `${error.name}: ${error.message}` : "a value"}`.slice(0, 300) };
    }
  }

  /** `mapped`: its text, naming the map that lies beside it. */
  #write(added: AddedUnit, fresh: readonly AddedUnit[], mapped: string): string {
    if (this.#directory === null) throw new Error("there is no release directory to put it in");
    const path = this.#pathOf(added);
    const text = this.#retarget(added, fresh, mapped);
    if (existsSync(path) && readFileSync(path, "utf8") === text) return path;
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${randomBytes(6).toString("hex")}`;
    try {
      writeFileSync(temporary, text, { mode: 0o444, flag: "wx" });
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
    return path;
  }

  #pathOf(added: Pick<AddedUnit, "unit" | "digest">): string {
    const extension = extname(added.unit);
    const name = `${basename(added.unit, extension)}.mf-${added.digest.slice(7, 19)}${extension}`;
    return join(this.#directory!, dirname(added.unit), name);
  }

  /** A new unit that imports another new one finds it under its natural name only if that name is there. */
  #retarget(added: AddedUnit, fresh: readonly AddedUnit[], mapped: string): string {
    if (fresh.length > 1 && fresh.some((other) => other !== added && added.text.includes(basename(other.unit)))) {
      throw new Error("new modules that import each other");
    }
    return mapped;
  }
}
