import type { InstalledPackage, PackageList } from "@midflight/planner";
import { sha256 } from "@midflight/trust";

/**
 * Reads which packages a lock file names, from the texts that package managers write (people do not write them).
 * Null for what it cannot read with certainty: then only the digest tells whether something changed.
 */
export function readLockPackages(fileName: string, text: string): PackageList | null {
  try {
    if (fileName === "pnpm-lock.yaml") return readPnpm(text);
    if (fileName === "yarn.lock") return readYarn(text);
    if (fileName === "bun.lock") return readBun(text);
    return fileName.endsWith(".json") ? readNpm(text) : null;
  } catch {
    return null;
  }
}

type Json = Readonly<Record<string, unknown>>;

/** `package-lock.json`, `npm-shrinkwrap.json` and `node_modules/.package-lock.json`: docs.npmjs.com, package-lock.json, versions 1 to 3. */
function readNpm(text: string): PackageList | null {
  const lock = asRecord(JSON.parse(text.replace(/^\ufeff/, "")));
  const out = new Map<string, InstalledPackage>();
  const packages = asRecord(lock?.["packages"]);
  if (packages !== null) {
    for (const [place, raw] of Object.entries(packages)) {
      const entry = asRecord(raw);
      // The rest are the project's own packages: their code is the app's.
      if (entry === null || !/(?:^|\/)node_modules\//.test(place)) continue;
      out.set(place, npmPackage(textOf(entry["name"]) || nameOfPlace(place), entry));
    }
    return out;
  }
  const dependencies = asRecord(lock?.["dependencies"]);
  if (dependencies === null) return null;
  const add = (entries: Json, above: string): void => {
    for (const [name, raw] of Object.entries(entries)) {
      const entry = asRecord(raw) ?? {};
      const place = `${above}node_modules/${name}`;
      out.set(place, npmPackage(name, entry));
      add(asRecord(entry["dependencies"]) ?? {}, `${place}/`);
    }
  };
  add(dependencies, "");
  return out;
}

/** A package of the project itself: it is there, and its code is the app's. */
function own(name: string): InstalledPackage {
  return { name, version: "of the project", content: "" };
}

function npmPackage(name: string, entry: Json): InstalledPackage {
  const resolved = textOf(entry["resolved"]);
  if (entry["link"] === true) return { name, version: `link to ${resolved}`, content: "" };
  // The registry's host says nothing of the content; a commit or a file does.
  const content = textOf(entry["integrity"]) || (/^(?:git|file:)/.test(resolved) ? resolved : "");
  return { name, version: textOf(entry["version"]), content };
}

function nameOfPlace(place: string): string {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** `pnpm-lock.yaml`, versions 5 to 9: two blanks per level, one key per line. */
function readPnpm(text: string): PackageList | null {
  const version = /^lockfileVersion: '?(\d+)/m.exec(text)?.[1];
  const sections = new Map(blocksOf(text.split("\n"), 0));
  if (version === undefined) return null;
  const out = new Map<string, InstalledPackage>();
  for (const section of ["packages", "snapshots"]) {
    for (const [key, lines] of blocksOf(sections.get(section) ?? [], 2)) {
      const id = key.replace(/^\//, "").replace(/\(.*$/, "");
      const at = version === "5" ? id.lastIndexOf("/") : id.lastIndexOf("@");
      if (at <= 0) return null;
      out.set(`${section} ${key}`, { name: id.slice(0, at), version: id.slice(at + 1), content: digestOf(lines) });
    }
  }
  for (const [, name = ""] of (sections.get("importers") ?? []).join("\n").matchAll(/^ {6}'?([^\s':]+)'?:\n(?: {8}specifier:.*\n)? {8}version: link:/gm)) out.set(`${name}@workspace`, own(name));
  // Beside the packages: who of the project gets which of them.
  const given = ["importers", "dependencies", "optionalDependencies", "devDependencies"].flatMap((section) => sections.get(section) ?? []);
  out.set("importers", { name: "", version: "", content: digestOf(given.filter((line) => !/^\s*specifier:/.test(line))) });
  return out;
}

/** `yarn.lock` of Yarn 1 and of later ones. */
function readYarn(text: string): PackageList | null {
  if (!/^# yarn lockfile v1$|^__metadata:/m.test(text)) return null;
  const out = new Map<string, InstalledPackage>();
  const given = new Map<string, string[]>();
  for (const [key, lines] of blocksOf(text.split("\n"), 0)) {
    if (key === "__metadata") continue;
    const version = lines.map((line) => /^ {2}version:? "?([^"]+)"?$/.exec(line)?.[1]).find((found) => found !== undefined);
    const descriptors = key.split(/",? *"?|, /).filter((descriptor) => descriptor !== "");
    const name = /^(@?[^@]+)@/.exec(descriptors[0] ?? "")?.[1];
    if (version === undefined || name === undefined) return null;
    if (lines.some((line) => /^ {2}resolution: ".*@workspace:/.test(line))) {
      out.set(`${name}@workspace`, own(name));
      continue;
    }
    out.set(`${name}@${version}`, { name, version, content: digestOf(lines) });
    given.set(name, [...(given.get(name) ?? []), ...descriptors.map((descriptor) => `${descriptor} ${version}`)]);
  }
  const several = [...given].filter(([, descriptors]) => new Set(descriptors.map((descriptor) => descriptor.split(" ").at(-1))).size > 1);
  out.set("ranges", { name: "", version: "", content: digestOf(several.flatMap(([, descriptors]) => descriptors).sort()) });
  return out;
}

/** `bun.lock`: JSON with commas before closing brackets. */
function readBun(text: string): PackageList | null {
  const packages = asRecord(asRecord(JSON.parse(text.replace(/,(\s*[}\]])/g, "$1")))?.["packages"]);
  if (packages === null) return null;
  const out = new Map<string, InstalledPackage>();
  for (const [place, entry] of Object.entries(packages)) {
    const id = Array.isArray(entry) ? textOf(entry[0]) : "";
    const at = id.indexOf("@", 1);
    if (at <= 0) return null;
    if (id.slice(at + 1).startsWith("workspace:")) out.set(place, own(id.slice(0, at)));
    else out.set(place, { name: id.slice(0, at), version: id.slice(at + 1), content: digestOf([JSON.stringify(entry)]) });
  }
  return out;
}

/** The blocks that keys at a level of indentation open, with the lines below each. */
function* blocksOf(lines: readonly string[], indent: number): Generator<[key: string, lines: string[]]> {
  let open: [string, string[]] | null = null;
  for (const line of lines) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const depth = line.length - line.trimStart().length;
    if (depth > indent) open?.[1].push(line.trimEnd());
    else if (depth === indent) {
      if (open !== null) yield open;
      const match = /^(['"]?)(.*?)\1:(?: .*)?$/.exec(line.trim());
      if (match === null) throw new SyntaxError(`not a key: ${line}`);
      open = [match[2]!, []];
    }
  }
  if (open !== null) yield open;
}

function asRecord(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function digestOf(lines: readonly string[]): string {
  return sha256(lines.join("\n")).slice(7, 39);
}
