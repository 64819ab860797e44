import type { Override, ResolvedConfig } from "@midflight/control";
import { MidflightError } from "@midflight/protocol";
import { loadConfig } from "../config/load-config.ts";
import type { Variables } from "../config/environment.ts";
import type { Answer } from "../output/answer.ts";
import type { Screen } from "../output/screen.ts";
import type { Interrupts } from "./interrupts.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly directory?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly color?: boolean;
  readonly input?: boolean;
  readonly quiet?: boolean;
}

/** What a command stands in: who reads, where the project is, and how it is told to stop. */
export interface Context {
  readonly screen: Screen;
  /** Absolute. */
  readonly directory: string;
  readonly variables: Variables;
  readonly interrupts: Interrupts;
  readonly isDebug: boolean;
  /** `directory`: where to look if the command line names no file. Default: that of the command. @throws MidflightError `CONFIG_NOT_FOUND`, `CONFIG_INVALID` */
  loadConfig(flags?: ReadonlyMap<string, Override>, directory?: string): Promise<ResolvedConfig>;
}

/** A command, once its options are known. Null: it has printed what it had to say. */
export type RunCommand = (context: Context) => Promise<Answer | null>;

export interface ContextParts {
  readonly screen: Screen;
  readonly directory: string;
  readonly variables: Variables;
  readonly interrupts: Interrupts;
  readonly isDebug: boolean;
  readonly configFile: string | undefined;
}

export function createContext({ configFile, ...parts }: ContextParts): Context {
  return {
    ...parts,
    loadConfig: (flags, directory = parts.directory) =>
      loadConfig({
        directory: configFile === undefined ? directory : parts.directory,
        variables: parts.variables,
        ...(configFile === undefined ? {} : { file: configFile }),
        ...(flags === undefined ? {} : { flags }),
      }),
  };
}

/** A command line that cannot be meant. */
export function usage(what: string, fix: string): MidflightError {
  return new MidflightError("USAGE", { what, why: "the command line does not say what it should.", state: "nothing was done.", fix: [fix] });
}
