/** What is read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly type: "module" | "commonjs";
  readonly main: string | null;
  readonly scripts: Readonly<Record<string, string>>;
  /** Name → range; every kind of dependency that an install of the repository brings. */
  readonly dependencies: Readonly<Record<string, string>>;
}

const kinds = ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"] as const;
export const lockFiles: readonly string[] = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

/** Never throws: a package.json that cannot be read says nothing. */
export function readManifest(text: string | undefined): Manifest {
  const json = parseObject(text);
  const dependencies: Record<string, string> = {};
  for (const kind of kinds) for (const [name, range] of Object.entries(objectOf(json[kind]))) if (typeof range === "string") dependencies[name] ??= range;
  const scripts = Object.fromEntries(Object.entries(objectOf(json["scripts"])).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  return {
    name: typeof json["name"] === "string" ? json["name"] : "library",
    type: json["type"] === "module" ? "module" : "commonjs",
    main: entryOf(json),
    scripts,
    dependencies,
  };
}

function entryOf(json: Readonly<Record<string, unknown>>): string | null {
  if (typeof json["main"] === "string") return json["main"];
  return firstPath(objectOf(json["exports"])["."] ?? json["exports"]);
}

function firstPath(value: unknown): string | null {
  if (typeof value === "string") return value.startsWith("./") ? value : null;
  const conditions = objectOf(value);
  if (conditions === none) return null;
  for (const condition of ["node", "require", "import", "default"]) {
    const found = firstPath(conditions[condition]);
    if (found !== null) return found;
  }
  return null;
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

const none: Readonly<Record<string, unknown>> = Object.freeze({});

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : none;
}

/** The module that a process of the library loads first, of those that there are. */
export function entryUnit({ main, name }: Manifest, has: (path: string) => boolean): string | null {
  const named = main === null ? [] : [main.replace(/^\.\//, "").replace(/\/$/, "")];
  for (const base of [...named, "index", "lib/index", "src/index", name, `lib/${name}`, `src/${name}`]) {
    for (const candidate of [base, `${base}.js`, `${base}.mjs`, `${base}.cjs`, `${base}/index.js`]) if (has(candidate)) return candidate;
  }
  return null;
}

/** By name. */
export function sortedEntries(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** True if what is installed may differ. */
export function dependenciesDiffer(before: Manifest, after: Manifest): boolean {
  const text = ({ dependencies }: Manifest): string => JSON.stringify(sortedEntries(dependencies));
  return text(before) !== text(after);
}
