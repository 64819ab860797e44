import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Instance } from "./instance.ts";
import type { AddedUnit, OverlayUnit, UnitMap } from "./overlay.ts";
import { dataUrl, growInline, growMap } from "./grow-map.ts";
import { frameName, growthsOf } from "./placed.ts";

/** The comment by which a text names its map; only white space follows. */
const link = /\/\/# sourceMappingURL=(\S+)\s*$/;
/** Texts of one instance whose maps Node keeps: what is live, what was, and two more for errors that are looked at late. */
const keptTexts = 4;

/**
 * Tells Node where the lines of newer texts come from, if it follows source maps (`--enable-source-maps`). Node reads
 * a map's name from text that it compiles, so each text's is told once by a comment of its own; the bodies share the
 * text's name. Nothing here is needed to run: what fails leaves frames with the lines of the built file.
 */
export class SourceMaps {
  readonly #directory: string | null;
  /** Files that were written and hold what their names say. */
  readonly #written = new Set<string>();
  readonly #grown = new WeakMap<OverlayUnit, UnitMap | undefined>();

  constructor(directory: string | null) {
    this.#directory = directory === null ? null : path.resolve(directory);
  }

  /** Puts the maps of texts where Node can read them: from a file it does so in a seventh of the time. */
  async write(units: readonly OverlayUnit[]): Promise<void> {
    for (const unit of units) {
      const map = this.#mapOf(unit);
      if (map !== undefined) await this.#put(unit.ops.unit, unit.text, map);
    }
  }

  /** The text of a new module, naming its map, which is written. */
  async added({ unit, text, map }: AddedUnit): Promise<string> {
    const file = map === undefined ? null : await this.#put(unit, text, map);
    return file === null ? text : text.replace(link, `//# sourceMappingURL=${pathToFileURL(file).pathname}\n`);
  }

  /** Tells Node the map of an instance's newer text. */
  tell(instance: Instance, unit: OverlayUnit): void {
    if (!process.sourceMapsEnabled) return;
    try {
      const name = frameName(instance, unit.ops.artifact);
      const url = name === null ? null : this.#urlOf(unit, this.#mapOf(unit));
      if (name === null || url === null) return;
      const { mapped } = instance;
      if (mapped.get(name) !== url) tellNode(instance, name, url);
      mapped.delete(name);
      mapped.set(name, url);
      // Node keeps what it was told for ever, but for what it is told next under the same name.
      for (const [old] of mapped) {
        if (mapped.size <= keptTexts) break;
        this.#forget(instance, old);
      }
    } catch {
      // Lines of the built file are shown instead.
    }
  }

  /** Also the file goes, so that a process that lives long does not fill the disk. */
  #forget(instance: Instance, name: string): void {
    const url = instance.mapped.get(name)!;
    instance.mapped.delete(name);
    tellNode(instance, name, "data:application/json,{}");
    if (url.startsWith("data:") || [...instance.mapped.values()].includes(url)) return;
    const file = fileURLToPath(`file://${url}`);
    if (this.#written.delete(file)) void rm(file, { force: true }).catch(() => undefined);
  }

  /** The map of a unit's texts as they are placed: its artifact's, unless names in them became longer. */
  #mapOf(unit: OverlayUnit): UnitMap | undefined {
    if (this.#grown.has(unit)) return this.#grown.get(unit);
    const map = unit.map === undefined ? undefined : growMap(unit.map, unit.text, growthsOf(unit));
    this.#grown.set(unit, map);
    return map;
  }

  #urlOf(unit: OverlayUnit, map: UnitMap | undefined): string | null {
    const url = linkOf(unit.text);
    if (url === null) return null;
    if (url.startsWith("data:")) return growInline(url, unit.text, growthsOf(unit));
    if (map === undefined) return null;
    const file = this.#pathOf(unit.ops.unit, url, map);
    if (file !== null && this.#written.has(file)) return pathToFileURL(file).pathname;
    // A map's sources are found from where it lies; told like this it lies beside the unit.
    return url.includes("/") ? null : dataUrl(map.bytes);
  }

  /** Beside the map of the text that the process started with, so that the sources are found as that one's are. */
  #pathOf(unit: string, url: string, { digest }: UnitMap): string | null {
    if (this.#directory === null) return null;
    const file = path.resolve(this.#directory, path.dirname(unit), decodeURIComponent(url.split(/[?#]/)[0]!));
    const name = `${path.basename(file, ".map")}.mf-${digest.slice(7, 19)}.map`;
    return file.startsWith(this.#directory + path.sep) ? path.join(path.dirname(file), name) : null;
  }

  /** Writes a map; null if that is not possible. Other processes that started from the same directory may do so, too. */
  async #put(unit: string, text: string, map: UnitMap): Promise<string | null> {
    let temporary: string | null = null;
    try {
      const url = linkOf(text);
      const file = url === null || url.startsWith("data:") ? null : this.#pathOf(unit, url, map);
      if (file === null || this.#written.has(file)) return file;
      if (!existsSync(file)) {
        temporary = `${file}.${randomBytes(6).toString("hex")}`;
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(temporary, map.bytes, { mode: 0o444, flag: "wx" });
        await rename(temporary, file);
      }
      this.#written.add(file);
      return file;
    } catch {
      if (temporary !== null) await rm(temporary, { force: true }).catch(() => undefined);
      return null;
    }
  }
}

function linkOf(text: string): string | null {
  const at = text.lastIndexOf("//# sourceMappingURL=");
  return at === -1 ? null : (link.exec(text.slice(at))?.[1] ?? null);
}

function tellNode(instance: Instance, name: string, url: string): void {
  instance.door(`0\n//# sourceURL=${name}\n//# sourceMappingURL=${url}`);
}
