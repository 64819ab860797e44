import { isMidflightError, MidflightError } from "@midflight/protocol";

/** An error as it is if it is one of ours; else as a bug, with what is known of it. */
export function asMidflightError(error: unknown, what: string): MidflightError {
  if (isMidflightError(error)) return error;
  return new MidflightError("INTERNAL", { what, why: error instanceof Error ? error.message : String(error) }, { cause: error });
}
