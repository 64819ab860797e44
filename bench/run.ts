// `npm run bench` lists the benches; `npm run bench -- NAME --json` runs one. Exit code 1: a bar was missed;
// 75: the run is void; 64: called wrongly.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Bar, Bench, BenchOptions, Findings } from "./bench.ts";
import { benches } from "./catalogue.ts";
import { describeMachine, type Machine } from "./machine.ts";

const exitMissed = 1;
const exitUsage = 64;
const exitVoid = 75;

function list(): void {
  const width = Math.max(...benches.map((bench) => bench.name.length));
  for (const { name, summary } of benches) process.stdout.write(`  ${name.padEnd(width)}  ${summary}\n`);
}

function usage(problem: string): void {
  process.stderr.write(`${problem}\nusage: npm run bench -- NAME [--json] [--node N]... [--quick] [--repo DIR] [--limit N]\n`);
  process.exitCode = exitUsage;
}

interface Wanted extends Omit<BenchOptions, "say"> {
  readonly asJson: boolean;
}

async function measure(bench: Bench, { asJson, ...wanted }: Wanted): Promise<void> {
  const env = describeMachine();
  const { voidBecause, ...found } = await bench.run({ ...wanted, say: (line) => process.stderr.write(`${line}\n`) });
  for (const one of found.bars) process.stderr.write(`${describeBar(one)}\n`);
  const line = JSON.stringify({ bench: bench.name, ...found, ...(voidBecause === null ? {} : { void: voidBecause }), env });
  if (asJson) process.stdout.write(`${line}\n`);
  process.exitCode = judge(found.bars, voidBecause);
  const name = wanted.repository === null ? bench.name : `${bench.name}-${nameOfClone(wanted.repository)}`;
  if (!wanted.isQuick) keep(name, found, voidBecause, env, wanted.nodes !== null);
}

/** Runs on chosen versions of Node say nothing of the others, so they do not take the place of a whole run. */
function keep(name: string, found: Omit<Findings, "voidBecause">, voidBecause: string | null, env: Machine, isPart: boolean): void {
  const folder = path.join(import.meta.dirname, "results");
  const file = path.join(folder, `${name}${isPart || voidBecause !== null ? ".local" : ""}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ bench: name, ...found, ...(voidBecause === null ? {} : { void: voidBecause }), env }, null, 2)}\n`);
  process.stderr.write(`written to ${path.relative(process.cwd(), file)}\n`);
}

/** Of `…/express`, `…/express.git` and `…/expressjs+express/repo` alike: what people call the repository. */
function nameOfClone(directory: string): string {
  const parts = path.resolve(directory).split(path.sep).filter((part) => part !== "" && part !== "repo" && part !== ".git");
  return (parts.at(-1) ?? "repository").replace(/\.git$/, "").replace(/^.*\+/, "").toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function judge(bars: readonly Bar[], voidBecause: string | null): number {
  if (voidBecause !== null) {
    process.stderr.write(`void: ${voidBecause}\n`);
    return exitVoid;
  }
  return bars.length > 0 && bars.every((one) => one.ok) ? 0 : exitMissed;
}

function describeBar({ name, value, op, limit, ok }: Bar): string {
  return `${ok ? "✔" : "✖"} ${name}: ${Number(value.toPrecision(4))} (${op} ${limit})`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false }, node: { type: "string", multiple: true }, repo: { type: "string" }, limit: { type: "string" } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined) return list();
  if (rest.length > 0) return usage(`one bench at a time, not also ${rest.join(" ")}`);
  const bench = benches.find((one) => one.name === name);
  if (bench === undefined) return usage(`there is no bench ${name}; \`npm run bench\` lists them`);
  const nodes = values.node?.map(Number) ?? null;
  if (nodes?.some((node) => !Number.isInteger(node)) === true) return usage("--node takes a major version, such as 24");
  const repository = values.repo ?? null;
  if ((repository !== null) !== (bench.needsRepository === true)) return usage(repository === null ? `${name} needs --repo DIR, a clone whose commits it goes through` : `${name} goes through no clone`);
  if (repository !== null && !existsSync(repository)) return usage(`there is no ${repository}`);
  const limit = values.limit === undefined ? null : Number(values.limit);
  if (limit !== null && !(Number.isInteger(limit) && limit > 0)) return usage("--limit takes a number of commits");
  await measure(bench, { nodes, isQuick: values.quick, repository, limit, asJson: values.json });
}

try {
  await main();
} catch (error) {
  if ((error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
  usage((error as Error).message);
}
