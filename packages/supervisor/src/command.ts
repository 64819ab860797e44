import path from "node:path";
import { MidflightError } from "@midflight/protocol";

/** A command as the system starts it; no shell in between, so that the process is ours to signal. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Variables that stand before it: `NODE_ENV=production node server.js`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Splits a command at spaces; quotes keep words together, a backslash keeps the next character. @throws MidflightError `CONFIG_INVALID` */
export function parseCommand(run: string): Command {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let i = 0; i < run.length; i++) {
    const char = run[i]!;
    if (quote !== null && char === quote) quote = null;
    else if (quote === null && (char === '"' || char === "'")) [quote, word] = [char, word ?? ""];
    else if (char === "\\" && quote !== "'" && i + 1 < run.length) word = (word ?? "") + run[++i]!;
    else if (quote === null && /\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + char;
  }
  if (word !== null) words.push(word);
  const env: Record<string, string> = {};
  while (words.length > 0 && /^[A-Za-z_]\w*=/.test(words[0]!)) {
    const assignment = words.shift()!;
    env[assignment.slice(0, assignment.indexOf("="))] = assignment.slice(assignment.indexOf("=") + 1);
  }
  const [file, ...args] = words;
  if (quote !== null || file === undefined) {
    throw new MidflightError("CONFIG_INVALID", { what: `The command ${JSON.stringify(run)} cannot be read.`, why: quote === null ? "it is empty." : "a quote is not closed.", state: "nothing was done." });
  }
  return { file, args, env };
}

/** False for npm, a wrapper script, another runtime: what such a process is given does not reach the app. */
export function isNode({ file }: Command): boolean {
  return /^node(\.exe)?$/.test(path.basename(file));
}

/**
 * The same command with the agent loaded before the app. For `node` it is an argument; anything else (npm, a
 * wrapper script) passes it on by `NODE_OPTIONS`.
 */
export function withAgent(command: Command, agentArgs: readonly string[], nodeOptions: string | undefined): { readonly command: Command; readonly nodeOptions: string | undefined } {
  if (isNode(command)) return { command: { ...command, args: [...agentArgs, ...command.args] }, nodeOptions };
  return { command, nodeOptions: [nodeOptions, ...agentArgs].filter((part) => part !== undefined && part !== "").join(" ") };
}

/** How a process loads the agent. From sources it needs the condition under which our packages are sources too. */
export function agentArguments(): readonly string[] {
  const url = import.meta.resolve("@midflight/agent/register");
  return url.endsWith(".ts") ? ["--conditions=@midflight/source", "--import", url] : ["--import", url];
}
