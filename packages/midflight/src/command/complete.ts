import type { Command, Option } from "commander";
import { errorPages } from "../explain/error-pages.ts";
import type { Context } from "../cli/context.ts";
import type { RunCommand } from "../cli/program.ts";

/** Where a release can be named. */
const takesRelease: readonly string[] = ["deploy", "rollback", "show", "releases diff"];

/** `midflight __complete -- WORDS`: one candidate per line for the last word. Never fails; at worst it knows nothing. */
export function complete(program: Command): RunCommand {
  return async (context) => {
    const candidates = await candidatesFor(program, wordsAfterMark(program), context);
    return { data: { candidates }, lines: candidates };
  };
}

/** The words as they were typed; commander would read their options as its own. */
function wordsAfterMark(program: Command): readonly string[] {
  const args = (program as unknown as { rawArgs: readonly string[] }).rawArgs;
  const at = args.indexOf("__complete");
  return args.slice(at + (args[at + 1] === "--" ? 2 : 1));
}

export async function candidatesFor(program: Command, words: readonly string[], context: Context): Promise<string[]> {
  const last = words.at(-1) ?? "";
  let command = program;
  for (const word of words.slice(0, -1)) command = command.commands.find((one) => one.name() === word) ?? command;
  const before = words.at(-2);
  const options = [...command.options, ...(command === program ? [] : program.options)];
  const awaiting = before === undefined ? undefined : options.find((option) => (option.long === before || option.short === before) && option.required);
  const all = awaiting === undefined ? await candidatesAt(command, options, last, context) : await valuesOf(awaiting, context);
  return [...new Set(all)].filter((candidate) => candidate.startsWith(last));
}

async function candidatesAt(command: Command, options: readonly Option[], last: string, context: Context): Promise<string[]> {
  if (last.startsWith("-")) return [...options.flatMap((option) => (option.hidden ? [] : [option.long ?? ""])), "--help"];
  const commands = command.commands.map((one) => one.name()).filter((name) => !name.startsWith("__"));
  const path = pathOf(command);
  if (path === "explain") return Object.keys(errorPages);
  if (path === "completion") return ["bash", "zsh", "fish"];
  return takesRelease.includes(path) ? [...commands, ...(await releaseNames(context))] : commands;
}

async function valuesOf(option: Option, context: Context): Promise<readonly string[]> {
  if (option.argChoices !== undefined) return option.argChoices;
  return option.long === "--to" ? await releaseNames(context) : [];
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null && at.parent !== null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

async function releaseNames(context: Context): Promise<string[]> {
  try {
    const { connectControl, readHistory } = await import("@midflight/control");
    const connection = await connectControl(await context.loadConfig());
    try {
      return (await readHistory(connection)).releases.map((release) => `r${release.number}`);
    } finally {
      await connection.close();
    }
  } catch {
    return [];
  }
}
