import type { Sink } from "../output/pane.ts";

const floor = [22, 18] as const;

/** The embedded registry and TypeScript configuration need this; the apps that are changed may run on older ones. */
export function tellIfTooOld(version: string, stderr: Sink): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return false;
  stderr.write(
    [
      `x midflight needs Node ${floor.join(".")} or newer, this is ${version}.`,
      "  Why    the command uses the SQLite and the TypeScript support of Node itself.",
      "  State  nothing was done. Your app may run on Node 20.19 and newer.",
      '  Do     run midflight with a newer Node, and write the older one into the configuration: run: "/path/to/node20 …"',
      "",
    ].join("\n"),
  );
  return true;
}
