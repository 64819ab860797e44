import { PassThrough } from "node:stream";
import { runCli } from "../../src/cli/run-cli.ts";

export interface RanHere {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface HereOptions {
  readonly directory: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Runs a command line inside the test's own process: as fast as it is, without the start of a process. */
export async function runHere(args: readonly string[], { directory, variables = { LANG: "C.UTF-8" }, isTTY = false, columns = 80 }: HereOptions): Promise<RanHere> {
  let out = "";
  let err = "";
  const code = await runCli(args, {
    streams: {
      stdin: new PassThrough() as unknown as NodeJS.ReadStream,
      stdout: { isTTY, columns, write: (text) => void (out += text) },
      stderr: { isTTY, columns, write: (text) => void (err += text) },
    },
    variables,
    directory,
    signals: { on: () => {} },
    exit: (exit) => {
      throw new Error(`the process was to end with ${exit}`);
    },
  });
  return { code, out, err };
}
