import fs from "node:fs";
import path from "node:path";

export const configNames: readonly string[] = ["midflight.config.ts", "midflight.config.mts", "midflight.config.js", "midflight.config.mjs"];

export type ConfigPlace =
  | { readonly kind: "file"; readonly path: string; readonly projectDir: string }
  | { readonly kind: "package"; readonly path: string; readonly projectDir: string; readonly value: unknown };

/** The nearest configuration in `directory` or above; a file wins over `package.json#midflight` beside it. */
export function findConfig(directory: string): ConfigPlace | null {
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    for (const name of configNames) {
      const file = path.join(at, name);
      if (fs.existsSync(file)) return { kind: "file", path: file, projectDir: at };
    }
    const manifest = readManifest(at);
    if (manifest?.["midflight"] !== undefined) {
      return { kind: "package", path: path.join(at, "package.json"), projectDir: at, value: manifest["midflight"] };
    }
    if (path.dirname(at) === at) return null;
  }
}

/** package.json of a directory; null if there is none that can be read. */
export function readManifest(directory: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
