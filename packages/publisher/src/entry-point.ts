import { MidflightError } from "@midflight/protocol";

/** A service's name and the command that starts it. */
export interface RunCommand {
  readonly service: string;
  readonly run: string;
}

/** Options of Node that take their value as the next word. */
const withValue: ReadonlySet<string> = new Set([
  "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file", "--env-file-if-exists", "--title", "--icu-data-dir",
  "--openssl-config", "--redirect-warnings", "--report-dir", "--report-directory", "--diagnostic-dir", "--input-type", "--stack-trace-limit", "--max-http-header-size",
  "--inspect-port", "--watch-path", "--dns-result-order", "--unhandled-rejections", "--trace-event-categories", "--trace-event-file-pattern", "--secure-heap", "--secure-heap-min",
]);

/** The script that `node …` starts; null for another program, for code on the command line, and where nothing is named. */
export function entryOf(run: string): string | null {
  const words = Array.from(run.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), (match) => match[1] ?? match[2] ?? match[3] ?? "");
  let at = 0;
  while (/^[A-Za-z_]\w*=/.test(words[at] ?? "")) at += 1;
  if (!/(?:^|[\\/])node(?:\.exe)?$/.test(words[at] ?? "")) return null;
  for (at += 1; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") return words[at + 1] ?? null;
    if (/^(?:-e|--eval|-p|--print|-pe|--test|--run|-c|--check)(?:=|$)/.test(word)) return null;
    if (!word.startsWith("-")) return word;
    if (withValue.has(word)) at += 1;
  }
  return null;
}

const endings = ["", ".js", ".json", ".node", ".mjs", ".cjs", "/index.js", "/index.json", "/package.json"];

/** @throws MidflightError `ENTRY_MISSING` if a service would start from a file that the tree does not have */
export function requireEntries(commands: readonly RunCommand[], has: (path: string) => boolean): void {
  for (const { service, run } of commands) {
    const entry = entryOf(run);
    // An absolute path is not a part of the app that could be missing from it.
    if (entry === null || entry.startsWith("/")) continue;
    const path = entry.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "");
    if (endings.some((ending) => has(path + ending))) continue;
    throw new MidflightError("ENTRY_MISSING", {
      what: `${path}, which service ${service} starts from ("${run}"), is not part of the app.`,
      why: "It was deleted, is not built yet, or lies outside of `code`.",
      state: "Nothing was published; what was live stays live.",
      fix: [`Bring ${path} back or finish the build, then deploy again.`, "Correct `run` or `code` in the configuration."],
      details: { path, service },
    });
  }
}
