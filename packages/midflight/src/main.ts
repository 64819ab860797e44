#!/usr/bin/env node
import { readVariables } from "./config/environment.ts";
import { tellIfTooOld } from "./cli/node-version.ts";

if (tellIfTooOld(process.versions.node, process.stderr)) process.exit(1);
const { runCli } = await import("./cli/run-cli.ts");
// A reader that has enough (`| head -1`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
const code = await runCli(process.argv.slice(2), {
  streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  variables: readVariables(),
  directory: process.cwd(),
  signals: process,
  exit: (exit) => process.exit(exit),
});
// What is still written leaves first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
