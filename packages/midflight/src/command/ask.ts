import { createInterface } from "node:readline/promises";
import { MidflightError } from "@midflight/protocol";
import type { Context } from "../cli/context.ts";

/**
 * Asks a question that a flag answers too.
 * @throws MidflightError `CONFIRMATION_MISSING` naming the flag, where nobody can answer
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
  try {
    return (await reader.question(`${question} `)).trim();
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
