import type { AppShape } from "./app.ts";
import type { Findings } from "./findings.ts";

/** Fields that Node.js never reads and that speak to people, registries and tools of development (docs.npmjs.com, package.json). */
const idle: ReadonlySet<string> = new Set([
  "scripts", "description", "keywords", "homepage", "bugs", "license", "licenses", "author", "contributors", "maintainers", "funding", "repository", "files", "bin", "man", "directories",
  "private", "publishConfig", "engines", "engineStrict", "devEngines", "packageManager", "volta", "os", "cpu", "libc", "types", "typings", "typesVersions", "sideEffects", "unpkg", "jsdelivr",
  "eslintConfig", "eslintIgnore", "prettier", "stylelint", "husky", "lint-staged", "commitlint", "jest", "mocha", "ava", "tap", "c8", "nyc", "browserslist", "release", "standard", "xo", "renovate",
]);

/** Fields that say which packages to install: what is installed is told by the lock file. */
const ranges = ["dependencies", "optionalDependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta", "bundleDependencies", "bundledDependencies", "overrides", "resolutions", "pnpm", "workspaces"];

type Fields = Readonly<Record<string, unknown>>;

/** What a change of a package.json means to a process that runs. False: it is not for this to judge. */
export function comparePackageJson(path: string, boot: AppShape, target: AppShape, findings: Findings): boolean {
  const [before, after] = [fieldsOf(boot, path), fieldsOf(target, path)];
  if (before === null || after === null) return false;
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  const isListed = Boolean(boot.dependencies?.locked && target.dependencies?.locked);
  const counting = fields.filter((field) => !idle.has(field) && !(isListed && ranges.includes(field)));
  const asked = counting.filter((field) => ranges.includes(field));
  const others = counting.filter((field) => !ranges.includes(field));
  if (asked.length > 0) findings.block(path, `other packages are asked for: ${asked.flatMap((field) => describeRanges(before[field], after[field], field)).slice(0, 6).join(", ")}`);
  if (others.length > 0) findings.block(path, `${others.map((field) => `"${field}"`).join(" and ")} of a package.json changed, which Node.js, the app or a package may have read`);
  if (counting.length > 0) return true;
  const reader = readerOf(boot) ?? readerOf(target);
  if (reader !== null) findings.block(path, `${reader} speaks of a package.json and may have read this one`);
  else findings.idle(path, fields.length === 0 ? "only its formatting changed" : `only ${fields.map((field) => `"${field}"`).join(", ")} changed, which no running process reads`);
  return true;
}

function describeRanges(before: unknown, after: unknown, field: string): readonly string[] {
  const [then, now] = [asFields(before), asFields(after)];
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].filter((name) => JSON.stringify(then[name]) !== JSON.stringify(now[name])).sort();
  if (names.length === 0) return [`"${field}"`];
  const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return names.map((name) => (then[name] === undefined ? `${name} ${show(now[name])} added` : now[name] === undefined ? `${name} ${show(then[name])} removed` : `${name} ${show(then[name])} → ${show(now[name])}`));
}

/** A unit whose text names such a file: it may read what no process reads otherwise. */
function readerOf(app: AppShape): string | null {
  for (const [unit, { source }] of app.units) if (source.includes("package.json")) return unit;
  return null;
}

function fieldsOf(app: AppShape, path: string): Fields | null {
  const text = app.texts?.get(path);
  if (text === undefined) return null;
  try {
    const json: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Fields) : null;
  } catch {
    return null;
  }
}

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
