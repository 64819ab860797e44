import path from "node:path";
import { isMidflightError, MidflightError } from "@midflight/protocol";
import { CommanderError } from "commander";
import { readScreenEnvironment, type Variables } from "../config/environment.ts";
import type { Answer } from "../output/answer.ts";
import { exits, type ExitCode } from "../output/exit-code.ts";
import { printAnswer, toErrorAnswer } from "../output/print-answer.ts";
import { createScreen, type Screen, type Streams } from "../output/screen.ts";
import { createContext, usage, type Context, type GlobalOptions } from "./context.ts";
import { openInterrupts, type SignalSource } from "./interrupts.ts";
import { createProgram } from "./program.ts";

/** All that a command line touches of the process it runs in. */
export interface World {
  readonly streams: Streams;
  readonly variables: Variables;
  readonly directory: string;
  readonly signals: SignalSource;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
}

/** Runs one command line. @param args without the program's name */
export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  let screen = screenFor(readEarlyOptions(args), world);
  let exit: ExitCode = exits.done;
  const open = (options: GlobalOptions): Context => {
    screen = screenFor(options, world);
    return openContext(options, world, screen);
  };
  const program = createProgram(screen, async (options, command) => {
    const answer = await command(open(options));
    if (answer !== null) exit = printAnswer(screen, answer);
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exits.done;
    if (error instanceof CommanderError && error.code === "commander.help") {
      screen.out.raw(program.helpInformation());
      return exits.done;
    }
    return printAnswer(screen, toAnswer(error, world.variables));
  }
}

function openContext(options: GlobalOptions, world: World, screen: Screen): Context {
  const interrupts = openInterrupts(world.signals, () => {
    const error = new MidflightError("COMMAND_INTERRUPTED", { what: "You left the command before it ended.", why: "it was interrupted.", state: "nothing was published by it." });
    world.exit(printAnswer(screen, toErrorAnswer(error)));
  });
  return createContext({
    screen,
    directory: path.resolve(world.directory, options.directory ?? "."),
    variables: world.variables,
    interrupts,
    isDebug: readScreenEnvironment(world.variables).isDebug,
    configFile: options.config,
  });
}

function screenFor(options: GlobalOptions, world: World): Screen {
  const flags = { json: options.json === true, input: options.input !== false, quiet: options.quiet === true };
  return createScreen(world.streams, options.color === undefined ? flags : { ...flags, color: options.color }, readScreenEnvironment(world.variables));
}

/** What counts even when the command line cannot be parsed: in which form to say so. */
function readEarlyOptions(args: readonly string[]): GlobalOptions {
  return { json: args.includes("--json"), ...(args.includes("--no-color") ? { color: false } : args.includes("--color") ? { color: true } : {}) };
}

function toAnswer(error: unknown, variables: Variables): Answer {
  if (isMidflightError(error)) return withTrace(toErrorAnswer(error), error, variables);
  if (error instanceof CommanderError) {
    const [what = "", hint] = error.message.replace(/^error: /, "").split("\n");
    const guess = /Did you mean (?:one of )?(.*?)\?\)?$/.exec(hint ?? "")?.[1];
    const text = `${what.charAt(0).toUpperCase()}${what.slice(1)}.`.replace(/\.\.$/, ".");
    return toErrorAnswer(usage(guess === undefined ? text : `${text} Did you mean ${guess}?`, guess === undefined ? "midflight --help" : `write ${guess}`));
  }
  const text = error instanceof Error ? error.message : String(error);
  const wrapped = new MidflightError("INTERNAL", { what: `Something unexpected happened: ${text}`, why: "this is a bug of midflight." }, { cause: error });
  return withTrace(toErrorAnswer(wrapped), error, variables);
}

function withTrace(answer: Answer, error: unknown, variables: Variables): Answer {
  if (!readScreenEnvironment(variables).isDebug || !(error instanceof Error) || answer.error === undefined) return answer;
  const trace = (error.stack ?? "").split("\n").slice(1, 8).join("\n");
  const facts = { ...answer.error.facts, why: `${answer.error.facts.why ?? ""}\n${trace}` };
  return { ...answer, error: new MidflightError(answer.error.code, facts) };
}
