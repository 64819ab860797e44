import path from "node:path";
import type { Command, Option } from "commander";
import type { Context, RunCommand } from "../cli/context.ts";
import { shells } from "../cli/shells.ts";
import { loadConfig } from "../config/load-config.ts";
import { errorPages } from "../explain/error-pages.ts";

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
  const typed = readWords(program, words.slice(0, -1));
  // bash hands `--to=r1` on as three words, the others as one.
  const last = words.at(-1) === "=" && typed.awaiting !== null ? "" : (words.at(-1) ?? "");
  const [, name = "", start] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const awaiting = start === undefined ? typed.awaiting : valued(typed.options, name);
  const all = awaiting === null ? await candidatesAt(typed, last, context) : await valuesOf(awaiting, typed, context);
  return [...new Set(all)].map((candidate) => (start === undefined ? candidate : `${name}=${candidate}`)).filter((candidate) => candidate.startsWith(last));
}

/** What the words before the one to complete say. */
interface Typed {
  readonly command: Command;
  /** That can be given here. */
  readonly options: readonly Option[];
  /** How many arguments of the command are given already. */
  readonly given: number;
  /** The option whose value comes next. */
  readonly awaiting: Option | null;
  /** Where the project is, if that was said. */
  readonly directory: string;
  readonly config: string | undefined;
}

function readWords(program: Command, words: readonly string[]): Typed {
  let command = program;
  let given = 0;
  let awaiting: Option | null = null;
  const values = new Map<string, string>();
  const optionsNow = (): readonly Option[] => [...command.options, ...(command === program ? [] : program.options)];
  for (const word of words) {
    if (awaiting !== null) {
      if (word === "=") continue;
      values.set(awaiting.attributeName(), word);
      awaiting = null;
    } else if (word.startsWith("-")) {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = valued(optionsNow(), name);
      if (option !== null && value !== undefined) values.set(option.attributeName(), value);
      else awaiting = option;
    } else {
      const next = given === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (next === undefined) given += 1;
      else command = next;
    }
  }
  return { command, options: optionsNow(), given, awaiting, directory: values.get("directory") ?? ".", config: values.get("config") };
}

function valued(options: readonly Option[], name: string): Option | null {
  return options.find((option) => (option.long === name || option.short === name) && option.required) ?? null;
}

async function candidatesAt(typed: Typed, last: string, context: Context): Promise<string[]> {
  const { command, options, given } = typed;
  if (last.startsWith("-")) return [...options.flatMap((option) => (option.hidden ? [] : [option.long ?? ""])), "--help"];
  const commands = given > 0 ? [] : command.commands.map((one) => one.name()).filter((name) => !name.startsWith("__"));
  if (given >= command.registeredArguments.length) return commands;
  const at = pathOf(command);
  if (at === "explain") return Object.keys(errorPages);
  if (at === "completion") return [...shells];
  return takesRelease.includes(at) ? [...commands, ...(await releaseNames(typed, context))] : commands;
}

async function valuesOf(option: Option, typed: Typed, context: Context): Promise<readonly string[]> {
  if (option.argChoices !== undefined) return option.argChoices;
  return option.attributeName() === "to" && pathOf(typed.command) === "rollback" ? await releaseNames(typed, context) : [];
}

function pathOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null && at.parent !== null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

async function releaseNames({ directory, config }: Typed, context: Context): Promise<string[]> {
  try {
    const { connectControl, readHistory } = await import("@midflight/control");
    const where = { directory: path.resolve(context.directory, directory), variables: context.variables };
    const connection = await connectControl(await loadConfig(config === undefined ? where : { ...where, file: config }));
    try {
      return (await readHistory(connection)).releases.map((release) => `r${release.number}`);
    } finally {
      await connection.close();
    }
  } catch {
    return [];
  }
}
