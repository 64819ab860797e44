import type { Manifest } from "./manifest.ts";

/** How the tests of a file are run within a process. */
export type Adapter = "mocha" | "node-test" | "jest-style" | "tape" | "tap" | "script";

export interface TestGroup {
  readonly adapter: Adapter;
  /** Paths from the repository's top. */
  readonly files: readonly string[];
}

export interface MochaOptions {
  readonly ui: string;
  /** Modules that are loaded before the tests. */
  readonly require: readonly string[];
  readonly timeoutMs: number | null;
}

const foreign = /\bfrom\s+["'](ava|vitest|bun:test|uvu|@japa\/runner|lab|@hapi\/lab)["']|\brequire\(["'](ava|vitest|uvu|lab|@hapi\/lab|@japa\/runner)["']\)/;

/** Sorts files by what runs them, as their own imports and package.json say; or tells by name what is not supported. */
export function groupTests(files: ReadonlyMap<string, string>, manifest: Manifest): readonly TestGroup[] | string {
  const groups = new Map<Adapter, string[]>();
  for (const [file, text] of files) {
    const adapter = adapterOf(text, manifest);
    if (!isAdapter(adapter)) return `${file} is written for ${adapter}`;
    const list = groups.get(adapter);
    if (list === undefined) groups.set(adapter, [file]);
    else list.push(file);
  }
  return [...groups].map(([adapter, list]) => ({ adapter, files: list }));
}

const adapters: readonly string[] = ["mocha", "node-test", "jest-style", "tape", "tap", "script"];

function isAdapter(name: string): name is Adapter {
  return adapters.includes(name);
}

function adapterOf(text: string, { dependencies, scripts }: Manifest): string {
  if (/["']node:test["']|\brequire\(["']test["']\)/.test(text)) return "node-test";
  const other = foreign.exec(text);
  if (other !== null) return other[1] ?? other[2] ?? "another runner";
  if (/["']tape["']/.test(text)) return "tape";
  if (/["'](?:tap|libtap|@tapjs\/[\w-]+)["']/.test(text)) return "tap";
  const command = Object.entries(scripts).filter(([name]) => /^test|unit/.test(name)).map(([, line]) => line).join("\n");
  if (/\b(?:describe|it|suite|test|context)\s*(?:\.\w+\s*)?\(/.test(text)) {
    for (const runner of ["mocha", "jest", "vitest", "jasmine"]) {
      if (!new RegExp(`\\b${runner}\\b`).test(command) && dependencies[runner] === undefined) continue;
      return runner === "jest" ? "jest-style" : runner;
    }
    if (dependencies["egg-bin"] !== undefined) return "jest-style";
  }
  return /\bjest\b|\bjasmine\b|\bvitest\b/.test(command) ? "jest-style" : "script";
}

/** What the repository tells mocha, in the places where mocha looks; `read` gives a file's text, or nothing. */
export function readMochaOptions(manifest: Manifest, read: (file: string) => string | undefined): MochaOptions {
  const lines = [
    ...Object.values(manifest.scripts).filter((line) => /\bmocha\b/.test(line)).map((line) => line.slice(line.search(/\bmocha\b/))),
    read("test/mocha.opts") ?? "",
    fromConfiguration(read(".mocharc.json") ?? read(".mocharc.jsonc") ?? read(".mocharc.yml") ?? read(".mocharc.yaml") ?? read(".mocharc.js") ?? read(".mocharc.cjs") ?? ""),
  ].join("\n");
  const values = (name: string): string[] => Array.from(lines.matchAll(new RegExp(`(?:^|\\s)${name}[\\s=]+["']?([^\\s"']+)`, "g")), (match) => match[1]!);
  const timeout = Number([...values("--timeout"), ...values("-t")][0]?.replace(/s$/, "000"));
  return {
    ui: values("--ui")[0] ?? "bdd",
    require: [...new Set([...values("--require"), ...values("-r")])].filter((name) => !/babel|ts-node|tsx|nyc|coverage/.test(name)),
    timeoutMs: Number.isFinite(timeout) ? timeout : null,
  };
}

/** `require: [a, b]` of a configuration in JSON, YAML or JavaScript, as options of the command line. */
function fromConfiguration(text: string): string {
  const found: string[] = [];
  const list = /["']?require["']?[^\S\n]*:[^\S\n]*(\[[^\]]*\]|(?:[^\S\n]*\n\s*-\s*\S+)+|\S+)/.exec(text)?.[1] ?? "";
  for (const name of list.matchAll(/["']?([\w./@-]{2,})["']?/g)) found.push(`--require ${name[1]}`);
  const timeout = /["']?timeout["']?\s*:\s*["']?(\d+s?)/.exec(text)?.[1];
  const ui = /["']?ui["']?\s*:\s*["']?(\w+)/.exec(text)?.[1];
  return [...found, ...(timeout === undefined ? [] : [`--timeout ${timeout}`]), ...(ui === undefined ? [] : [`--ui ${ui}`])].join(" ");
}
