import { MidflightError, type FileEntry } from "@midflight/protocol";
import type { FileContent } from "./source.ts";

/** How a file takes part in the app. `open`: Node looks for module syntax, because no package.json says what `.js` is. */
export type FileKind =
  | { readonly kind: "unit"; readonly format: "esm" | "cjs" | "open"; readonly isTyped: boolean }
  | { readonly kind: "asset"; readonly isInert: boolean };

const unitExtension = /\.([mc]?)([jt])s$/;
/** Never runs and is never read by what runs. */
const inert = /(?:\.d\.[mc]?ts|\.d\.[a-z0-9]+\.ts|\.map|\.tsbuildinfo)$/;

/** What Node makes of files, by their extension and the nearest package.json above them. */
export function createFileKinds(files: ReadonlyMap<string, FileContent>): (path: string) => FileKind {
  const types = new Map<string, "esm" | "cjs" | "open">();
  const formatBelow = (directory: string): "esm" | "cjs" | "open" => {
    let format = types.get(directory);
    if (format === undefined) {
      const own = files.get(directory === "" ? "package.json" : `${directory}/package.json`);
      if (own !== undefined) format = readType(own, directory);
      else format = directory === "" ? "open" : formatBelow(parentOf(directory));
      types.set(directory, format);
    }
    return format;
  };
  return (path) => {
    if (inert.test(path)) return { kind: "asset", isInert: true };
    const match = unitExtension.exec(path);
    if (match === null) return { kind: "asset", isInert: false };
    const isTyped = match[2] === "t";
    if (match[1] === "m") return { kind: "unit", format: "esm", isTyped };
    if (match[1] === "c") return { kind: "unit", format: "cjs", isTyped };
    return { kind: "unit", format: formatBelow(parentOf(path)), isTyped };
  };
}

/** Larger JSON files are compared by digest alone. */
const maxTextBytes = 1 << 20;

/** True for an asset whose text the planner compares. */
export function isComparedText(path: string, entry: FileEntry): boolean {
  return entry.kind === "asset" && path.endsWith(".json") && entry.bytes <= maxTextBytes;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

function readType(content: FileContent, directory: string): "esm" | "cjs" | "open" {
  const path = directory === "" ? "package.json" : `${directory}/package.json`;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(content.read()).toString("utf8").replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new MidflightError(
      "UNIT_SYNTAX",
      {
        what: `${path} is not valid JSON.`,
        why: cause instanceof Error ? cause.message : String(cause),
        state: "Nothing was published; what was live stays live.",
        fix: [`Correct ${path}, then deploy again.`],
        details: { path, line: 1, column: 1 },
      },
      { cause },
    );
  }
  const type: unknown = typeof json === "object" && json !== null && "type" in json ? json.type : undefined;
  return type === "module" ? "esm" : type === "commonjs" ? "cjs" : "open";
}
