import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseConfig, type Override, type ResolvedConfig } from "@midflight/control/config";
import { MidflightError } from "@midflight/protocol";
import type { Variables } from "./environment.ts";
import { findConfig, readManifest, type ConfigPlace } from "./find-config.ts";

export interface LoadOptions {
  readonly directory: string;
  /** A file named on the command line. */
  readonly file?: string;
  readonly variables: Variables;
  /** Flags that stand for a key of the configuration, by key path. */
  readonly flags?: ReadonlyMap<string, Override>;
}

/** Variables that stand for a key of the configuration. */
const variableKeys: Readonly<Record<string, { readonly key: string; readonly isNumber?: true }>> = {
  MIDFLIGHT_MAX_RUNG: { key: "rollout.maxRung" },
  MIDFLIGHT_PORT: { key: "port", isNumber: true },
  MIDFLIGHT_SIGNING_KEY: { key: "signing.key" },
};

/** @throws MidflightError `CONFIG_NOT_FOUND`, `CONFIG_INVALID` */
export async function loadConfig(options: LoadOptions): Promise<ResolvedConfig> {
  const place = choosePlace(options);
  const value = place.kind === "package" ? place.value : await importConfig(place.path);
  const overrides = new Map<string, Override>();
  for (const [name, { key, isNumber }] of Object.entries(variableKeys)) {
    const text = options.variables[name];
    if (text !== undefined && text !== "") overrides.set(key, { value: isNumber === true ? Number(text) : text, from: `env ${name}` });
  }
  for (const [key, override] of options.flags ?? []) overrides.set(key, override);
  const name = readManifest(place.projectDir)?.["name"];
  return parseConfig(value, {
    projectDir: place.projectDir,
    file: place.kind === "package" ? "package.json#midflight" : path.basename(place.path),
    packageName: typeof name === "string" ? name.replace(/^@[^/]*\//, "") : null,
    overrides,
  });
}

function choosePlace({ directory, file }: LoadOptions): ConfigPlace {
  if (file !== undefined) {
    const full = path.resolve(directory, file);
    return { kind: "file", path: full, projectDir: path.dirname(full) };
  }
  const place = findConfig(directory);
  if (place !== null) return place;
  throw new MidflightError("CONFIG_NOT_FOUND", {
    what: `There is no midflight.config.ts in ${directory}, nor above it.`,
    why: "the project is not prepared yet, or this is another directory.",
    state: "nothing was done.",
    fix: ["midflight init"],
    details: { directory },
  });
}

/** What the native loader cannot read, and jiti can: old runtimes, enums, imports without extension, no local `midflight`. */
const fallbackCodes = ["ERR_UNKNOWN_FILE_EXTENSION", "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", "ERR_MODULE_NOT_FOUND", "ERR_UNSUPPORTED_DIR_IMPORT"];

async function importConfig(file: string): Promise<unknown> {
  try {
    return defaultOf(await import(pathToFileURL(file).href));
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string" || !fallbackCodes.includes(code)) throw unreadable(file, error);
  }
  try {
    const { createJiti } = await import("jiti");
    const own = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../index.ts" : "../index.js", import.meta.url));
    return defaultOf(await createJiti(file, { alias: { midflight: own }, fsCache: false }).import(file));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function defaultOf(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module;
}

function unreadable(file: string, cause: unknown): MidflightError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const isMissing = (cause as { code?: unknown }).code === "ENOENT" || (text.includes("Cannot find module") && text.includes(file));
  return new MidflightError(
    isMissing ? "CONFIG_NOT_FOUND" : "CONFIG_INVALID",
    {
      what: isMissing ? `There is no ${file}.` : `${path.basename(file)} could not be loaded.`,
      why: isMissing ? "--config names it." : text.split("\n").slice(0, 3).join(" "),
      state: "nothing was done.",
      fix: isMissing ? ["correct --config", "midflight init"] : [`correct ${file}`],
      details: { file },
    },
    { cause },
  );
}
