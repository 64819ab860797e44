/** Folders whose files are tests, their fixtures and what helps them. */
const testFolders = new Set(["test", "tests", "__tests__", "__test__", "spec", "specs", "test-helpers", "__mocks__", "__fixtures__"]);
/** Folders of a repository that are neither the library nor its tests. */
const otherFolders = new Set([
  "node_modules", "example", "examples", "bench", "benchmark", "benchmarks", "doc", "docs", "script", "scripts", "tool", "tools", "build", "dist", "website", "site",
  "types", "typings", "coverage", "fixtures", "integration", "demo", "demos", "perf", "support", "vendor", "assets", "public", "static", "tasks", "benchmarking",
]);
const unit = /\.[mc]?[jt]s$/;
const declarations = /\.d\.[mc]?ts$/;
const testName = /(?:^|[.-])(?:test|tests|spec)\.[mc]?[jt]s$|^test(?:-[\w-]+)?\.[mc]?js$/;
const toolName = /(?:\.config|rc)\.[mc]?[jt]s$|^(?:gruntfile|gulpfile|webpack|rollup|karma|makefile|jakefile)\b.*\.js$|\.min\.js$|^\./i;

/** Which files of a repository are its library, and which are its tests. The same rule for every repository. */
export interface Layout {
  /** Module that a process loads, or that another one of the library does. */
  isUnit(path: string): boolean;
  /** Anything that belongs to the library: units, and what lies beside them. */
  isLibrary(path: string): boolean;
  isTest(path: string): boolean;
}

/**
 * The library is what lies in `lib` or `src`, with the modules at the top; where there is neither, all modules outside
 * of folders that are known to hold something else. Tests are known by their folder or their name.
 */
export function readLayout(files: readonly string[]): Layout {
  const homes = ["lib", "src"].filter((home) => files.some((file) => file.startsWith(`${home}/`) && isModule(file) && !isTest(file)));
  const isHome = (file: string): boolean => (homes.length === 0 ? file.includes("/") && isModule(file) : homes.some((home) => file.startsWith(`${home}/`)));
  const isLibrary = (file: string): boolean => !isTest(file) && !isTool(file, homes) && (file.includes("/") ? isHome(file) : isModule(file));
  return { isLibrary, isUnit: (file) => isModule(file) && isLibrary(file), isTest };
}

function isModule(file: string): boolean {
  return unit.test(file) && !declarations.test(file);
}

function isTest(file: string): boolean {
  const parts = file.split("/");
  const name = parts.pop()!;
  return parts.some((part) => testFolders.has(part)) || testName.test(name);
}

function isTool(file: string, homes: readonly string[]): boolean {
  const parts = file.split("/");
  if (toolName.test(parts.pop()!)) return true;
  // Below `lib` and `src` any folder is the library's own.
  if (homes.includes(parts[0] ?? "")) return parts.includes("node_modules");
  return parts.some((part) => otherFolders.has(part) || part.startsWith("."));
}

/** A file of tests, and not something that helps them. */
export function isTestFile(file: string, text: string): boolean {
  if (!unit.test(file) || declarations.test(file)) return false;
  if (/(?:^|\/)(?:fixtures?|support|helpers?|utils?|mocks?|__mocks__|__fixtures__|types)(?:\/|\.[mc]?js$)/.test(file)) return false;
  return /\b(?:describe|it|test|suite)\s*(?:\.\w+\s*)?\(|\bnode:test\b|\b(?:tap|tape)\b|\bassert\b/.test(text);
}
