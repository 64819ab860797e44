import { createInterface } from "node:readline/promises";
import { MidflightError } from "@midflight/protocol";
import type { Context } from "../cli/context.ts";

/**
 * Asks a question that a flag answers too.
 * @throws MidflightError `CONFIRMATION_MISSING` naming the flag, where nobody can answer; `COMMAND_INTERRUPTED`
 */
export async function ask(context: Context, question: string, flag: string): Promise<string> {
  const { screen } = context;
  if (!screen.canAsk) {
    throw new MidflightError("CONFIRMATION_MISSING", {
      what: `${question.replace(/\s*(\(.*\))?\s*$/, "").replace(/[?:]$/, "")}: nobody is there to answer.`,
      why: "there is no terminal, or --no-input was given.",
      state: "nothing was done.",
      fix: [`give the answer with the command: ${flag}`],
      details: { flag },
    });
  }
  const reader = createInterface({ input: screen.streams.stdin, output: screen.streams.stderr as NodeJS.WriteStream });
  // The terminal hands Ctrl-C and the end of input to the reader, not to the process.
  const left = new Promise<never>((_, reject) => {
    const leave = (): void => reject(new MidflightError("COMMAND_INTERRUPTED", { what: "You left at the question.", why: "it was interrupted.", state: "nothing was done." }));
    reader.once("SIGINT", leave);
    reader.once("close", leave);
  });
  left.catch(() => undefined);
  try {
    return (await Promise.race([reader.question(`${question} `), left])).trim();
  } finally {
    reader.close();
  }
}

/** Tier 2 (`y/N`) and 2r (`Y/n`): `--yes` answers it. False: the person said no. */
export async function confirm(context: Context, question: string, isYes: boolean, byDefault: boolean): Promise<boolean> {
  if (isYes) return true;
  const answer = await ask(context, `${question} ${byDefault ? "(Y/n)" : "(y/N)"}`, "--yes");
  return answer === "" ? byDefault : /^y(es)?$/i.test(answer);
}
