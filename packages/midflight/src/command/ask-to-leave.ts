import { createInterface } from "node:readline/promises";
import type { Context } from "../cli/context.ts";
import type { LiveLine } from "../output/live-line.ts";

let isAsking = false;

/**
 * Ctrl-C never stops a deploy half-way. A person is asked what is meant; without one, or told a second time, the
 * command leaves and the deploy goes on.
 */
export async function askToLeave({ screen }: Context, signal: NodeJS.Signals, progress: LiveLine): Promise<"leave" | "abort" | "stay"> {
  if (signal !== "SIGINT" || !screen.canAsk || isAsking) return "leave";
  isAsking = true;
  progress.show("");
  const reader = createInterface({ input: screen.streams.stdin, output: screen.streams.stderr as NodeJS.WriteStream });
  try {
    const interrupted = new Promise<string>((resolve) => reader.once("SIGINT", () => resolve("l")));
    const answer = await Promise.race([reader.question("\nIt is published. [l]eave it going on, [a]bort and roll back, [s]tay? "), interrupted]);
    if (/^a/i.test(answer.trim())) return "abort";
    return /^s/i.test(answer.trim()) ? "stay" : "leave";
  } finally {
    isAsking = false;
    reader.close();
  }
}
