import type { AppShape } from "./app.ts";

/** What a specifier that is no relative path leads to. */
export interface PackageTarget {
  /** Path without what Node.js adds to it: an extension, `index.js`. */
  readonly path: string;
  /** Whether Node.js may add it: not where `exports` or `imports` names the file. */
  readonly isExact: boolean;
}

/** Conditions of `exports` and `imports` that Node.js sets by itself; a command may set others (nodejs.org, packages, Conditional exports). */
const ownConditions: Readonly<Record<"import" | "require", ReadonlySet<string>>> = { import: new Set(["node", "node-addons", "import", "module-sync", "default"]), require: new Set(["node", "node-addons", "require", "module-sync", "default"]) };

export type ImportWay = keyof typeof ownConditions;

interface PackageJson {
  readonly name: unknown;
  readonly main: unknown;
  readonly exports: unknown;
  readonly imports: unknown;
}

/** The packages that are part of the app itself: those of a workspace, and those below `node_modules` that `code` names. */
class OwnPackages {
  readonly #links: AppShape["links"];
  readonly #manifests = new Map<string, PackageJson>();
  /** What a specifier may begin with to mean one of these. */
  readonly #names = new Set<string>();
  /** True if some package says what its specifiers, or `#` names, lead to. */
  readonly hasTargets: boolean;

  constructor(app: Pick<AppShape, "texts" | "links">) {
    this.#links = app.links;
    for (const [path, text] of app.texts ?? []) {
      if (path !== "package.json" && !path.endsWith("/package.json")) continue;
      const json = parse(text);
      if (json !== null) this.#manifests.set(parentOf(path), json);
    }
    this.hasTargets = [...this.#manifests.values()].some(({ exports, imports }) => isGiven(exports) || isGiven(imports));
    for (const place of [...(app.links?.keys() ?? []), ...this.#manifests.keys()]) {
      const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place)?.[1];
      if (name !== undefined) this.#names.add(name);
    }
    for (const { name, exports } of this.#manifests.values()) if (typeof name === "string" && isGiven(exports)) this.#names.add(name);
  }

  /** Where a bare specifier or one of `imports` may lead within the app, the likeliest first. */
  find(from: string, specifier: string, way: ImportWay): readonly PackageTarget[] {
    if (specifier.startsWith("#")) {
      const scope = this.#scopeOf(from);
      return scope === null ? [] : this.#findImport(scope, specifier, way);
    }
    if (this.#names.size === 0) return [];
    const match = /^((?:@[^/]+\/)?[^/@.][^/]*)(\/.*)?$/.exec(specifier);
    if (match === null || !this.#names.has(match[1]!)) return [];
    const [, name = "", subpath = ""] = match;
    const scope = this.#scopeOf(from);
    const own = scope === null ? undefined : this.#manifests.get(scope);
    if (scope !== null && own?.name === name && isGiven(own.exports)) return this.#inPackage(scope, `.${subpath}`, way);
    const directory = this.#installed(from, name);
    return directory === null ? [] : this.#inPackage(directory, `.${subpath}`, way);
  }

  /** The file that stands for a directory, if its package.json names one. */
  mainOf(directory: string): string | null {
    const main = this.#manifests.get(directory)?.main;
    return typeof main === "string" ? join(directory, main) : null;
  }

  #findImport(scope: string, specifier: string, way: ImportWay): readonly PackageTarget[] {
    const imports = this.#manifests.get(scope)?.imports;
    return matchSubpath(imports, specifier).flatMap(({ target, star }) =>
      targetsOf(target, way).flatMap((text) => {
        const found = text.replaceAll("*", () => star);
        return found.startsWith("./") ? [{ path: join(scope, found), isExact: true }] : this.find(`${scope === "" ? "" : `${scope}/`}package.json`, found, way);
      }),
    );
  }

  #inPackage(directory: string, subpath: string, way: ImportWay): readonly PackageTarget[] {
    const manifest = this.#manifests.get(directory);
    if (manifest !== undefined && isGiven(manifest.exports)) {
      const { exports } = manifest;
      const isMap = typeof exports === "object" && !Array.isArray(exports) && Object.keys(exports as object).some((key) => key.startsWith("."));
      const matches = isMap ? matchSubpath(exports, subpath) : subpath === "." ? [{ target: exports, star: "" }] : [];
      return matches.flatMap(({ target, star }) => targetsOf(target, way).map((text) => ({ path: join(directory, text.replaceAll("*", () => star)), isExact: true })));
    }
    if (subpath !== ".") return [{ path: join(directory, subpath), isExact: false }];
    const main = this.mainOf(directory);
    return [...(main === null ? [] : [{ path: main, isExact: false }]), { path: join(directory, "index"), isExact: false }];
  }

  /** Looks where Node.js does: in each `node_modules` from the importing file up. Null: it is none of the app's. */
  #installed(from: string, name: string): string | null {
    for (let directory = parentOf(from); ; directory = parentOf(directory)) {
      if (!/(?:^|\/)node_modules$/.test(directory)) {
        const place = join(directory, `node_modules/${name}`);
        const link = this.#links?.get(place);
        if (link !== undefined) return link === "" ? null : link;
        if (this.#manifests.has(place)) return place;
      }
      if (directory === "") return null;
    }
  }

  /** The nearest directory with a package.json. */
  #scopeOf(from: string): string | null {
    for (let directory = parentOf(from); ; directory = parentOf(directory)) {
      if (this.#manifests.has(directory)) return directory;
      if (directory === "") return null;
    }
  }
}

const made = new WeakMap<AppShape, OwnPackages>();

/** Of the last shapes: those that differ in modules alone share what their packages say. */
const recent: { readonly texts: AppShape["texts"]; readonly links: AppShape["links"]; readonly packages: OwnPackages }[] = [];

export function ownPackagesOf(app: AppShape): OwnPackages {
  let packages = made.get(app);
  if (packages !== undefined) return packages;
  packages = recent.find(({ texts, links }) => texts === app.texts && links === app.links)?.packages;
  if (packages === undefined) {
    packages = new OwnPackages(app);
    recent.unshift({ texts: app.texts, links: app.links, packages });
    recent.length = Math.min(recent.length, 4);
  }
  made.set(app, packages);
  return packages;
}

/** Keys of `exports` or `imports` that fit, the most exact one only (nodejs.org, packages, PACKAGE_IMPORTS_EXPORTS_RESOLVE). */
function matchSubpath(map: unknown, subpath: string): readonly { readonly target: unknown; readonly star: string }[] {
  if (typeof map !== "object" || map === null || Array.isArray(map)) return [];
  const entries = map as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(entries, subpath) && !subpath.includes("*")) return [{ target: entries[subpath], star: "" }];
  let best: { target: unknown; star: string; length: number } | null = null;
  for (const [key, target] of Object.entries(entries)) {
    const at = key.indexOf("*");
    if (at === -1 || at !== key.lastIndexOf("*")) continue;
    const [head, tail] = [key.slice(0, at), key.slice(at + 1)];
    if (!subpath.startsWith(head) || !subpath.endsWith(tail) || subpath.length < key.length) continue;
    if (best === null || head.length > best.length) best = { target, star: subpath.slice(at, subpath.length - tail.length), length: head.length };
  }
  return best === null ? [] : [best];
}

/** What a target may be: what Node.js takes by itself first, then what it takes if the command sets other conditions. */
function targetsOf(target: unknown, way: ImportWay): readonly string[] {
  const [usual, unusual] = [new Set<string>(), new Set<string>()];
  const visit = (value: unknown, isUsual: boolean): boolean => {
    if (typeof value === "string") {
      (isUsual && usual.size === 0 ? usual : unusual).add(value);
      return true;
    }
    if (Array.isArray(value)) return value.some((item) => visit(item, isUsual));
    if (typeof value !== "object" || value === null) return value === null;
    let isFound = false;
    for (const [condition, inner] of Object.entries(value)) {
      const isSet = ownConditions[way].has(condition);
      if (!isSet && (ownConditions.import.has(condition) || ownConditions.require.has(condition))) continue;
      if (visit(inner, isUsual && isSet && !isFound) && isSet) isFound = true;
    }
    return isFound;
  };
  visit(target, true);
  return [...usual, ...[...unusual].filter((text) => !usual.has(text))];
}

function parse(text: string): PackageJson | null {
  try {
    const json: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return typeof json === "object" && json !== null ? (json as PackageJson) : null;
  } catch {
    return null;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash === -1 ? "" : path.slice(0, slash);
}

function join(directory: string, relative: string): string {
  const parts = directory === "" ? [] : directory.split("/");
  for (const part of relative.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
