// `npm run bench` lists the benches; `npm run bench -- NAME --json` runs one. Exit code 1: a bar was missed;
// 75: the run is void; 64: called wrongly.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Bar, Bench, Findings } from "./bench.ts";
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
  process.stderr.write(`${problem}\nusage: npm run bench -- NAME [--json] [--node N]... [--quick]\n`);
  process.exitCode = exitUsage;
}

async function measure(bench: Bench, nodes: readonly number[] | null, isQuick: boolean, asJson: boolean): Promise<void> {
  const env = describeMachine();
  const { voidBecause, ...found } = await bench.run({ nodes, isQuick, say: (line) => process.stderr.write(`${line}\n`) });
  for (const one of found.bars) process.stderr.write(`${describeBar(one)}\n`);
  const line = JSON.stringify({ bench: bench.name, ...found, ...(voidBecause === null ? {} : { void: voidBecause }), env });
  if (asJson) process.stdout.write(`${line}\n`);
  process.exitCode = judge(found.bars, voidBecause);
  if (!isQuick) keep(bench.name, found, voidBecause, env, nodes !== null);
}

/** Runs on chosen versions of Node say nothing of the others, so they do not take the place of a whole run. */
function keep(name: string, found: Omit<Findings, "voidBecause">, voidBecause: string | null, env: Machine, isPart: boolean): void {
  const folder = path.join(import.meta.dirname, "results");
  const file = path.join(folder, `${name}${isPart || voidBecause !== null ? ".local" : ""}.json`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ bench: name, ...found, ...(voidBecause === null ? {} : { void: voidBecause }), env }, null, 2)}\n`);
  process.stderr.write(`written to ${path.relative(process.cwd(), file)}\n`);
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
    options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false }, node: { type: "string", multiple: true } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined) return list();
  if (rest.length > 0) return usage(`one bench at a time, not also ${rest.join(" ")}`);
  const bench = benches.find((one) => one.name === name);
  if (bench === undefined) return usage(`there is no bench ${name}; \`npm run bench\` lists them`);
  const nodes = values.node?.map(Number) ?? null;
  if (nodes?.some((node) => !Number.isInteger(node)) === true) return usage("--node takes a major version, such as 24");
  await measure(bench, nodes, values.quick, values.json);
}

try {
  await main();
} catch (error) {
  if ((error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
  usage((error as Error).message);
}
