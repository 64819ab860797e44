import { createServer, type AddressInfo } from "node:net";
import { parseConfig, type Config, type ResolvedConfig } from "@midflight/control";

/** What the processes of one measured system are told, by one environment variable. */
export interface ProjectSetup {
  readonly projectDir: string;
  readonly config: Config;
  /** Control publishes what is built, as `midflight up --watch` does. */
  readonly isWatching: boolean;
}

const variable = "BENCH_SETUP";

export function setupVariable(setup: ProjectSetup): Readonly<Record<string, string>> {
  return { [variable]: JSON.stringify(setup) };
}

export function readSetup(): { readonly config: ResolvedConfig; readonly projectDir: string; readonly isWatching: boolean } {
  const { projectDir, config, isWatching } = JSON.parse(process.env[variable] ?? "{}") as ProjectSetup;
  return { projectDir, config: parseConfig(config, { projectDir, file: "the bench", packageName: null }), isWatching };
}

/** Tells the bench something, as a line of JSON; `at` is epoch time in ms, to a fraction. */
export function tell(event: string, more: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, at: performance.timeOrigin + performance.now(), ...more })}\n`);
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
