import type { MidflightError } from "@midflight/protocol";
import type { ExitCode } from "./exit-code.ts";

/** What to do next; in JSON and under every answer. */
export interface Next {
  readonly command: string;
  readonly why: string;
}

/** What a command says. The same facts twice: `data` for programs, `lines` for people. */
export interface Answer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
  readonly next?: readonly Next[];
  /** Default: 0, or the exit code of `error`. */
  readonly exit?: ExitCode;
  /** Set if the command did not reach what it was asked for, and still has facts to tell. */
  readonly error?: MidflightError;
}
