import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parseConfig } from "@midflight/control/config";
import type { Command } from "commander";
import { createProgram } from "../src/cli/program.ts";
import { tellIfTooOld } from "../src/cli/node-version.ts";
import { exits } from "../src/output/exit-code.ts";
import { createScreen } from "../src/output/screen.ts";
import { readScreenEnvironment } from "../src/config/environment.ts";

const page = await readFile(new URL("../../../docs/reference/cli.md", import.meta.url), "utf8");
const sink = { write: () => {} };
const screen = createScreen({ stdin: process.stdin, stdout: sink, stderr: sink }, { json: false, input: false, quiet: false }, readScreenEnvironment({}));
const program = createProgram(screen, async () => {});

test("docs/reference/cli.md names every exit code, and no other", () => {
  const table = page.slice(page.indexOf("## Exit codes"), page.indexOf("## JSON"));
  assert.deepEqual([...table.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1])), Object.values(exits));
});

test("docs/reference/cli.md names every command and option", () => {
  const commands: readonly Command[] = [program, ...program.commands];
  for (const command of commands) {
    if (command.name().startsWith("__")) continue;
    if (command !== program) assert.match(page, new RegExp(`\`${command.name()}[ \`]`), command.name());
    for (const option of command.options) {
      if (option.long === "--version" || option.long === null) continue;
      assert.ok(page.includes(option.long ?? ""), `${command.name()} ${option.long}`);
    }
  }
});

test("an old Node is told so in four lines, and not by a stack trace", () => {
  let said = "";
  const stderr = { write: (text: string) => void (said += text) };
  assert.equal(tellIfTooOld("22.17.1", stderr), true);
  assert.match(said, /needs Node 22\.18[\s\S]*Why[\s\S]*State[\s\S]*Do/);
  for (const fine of ["22.18.0", "24.0.0", "26.10.0"]) assert.equal(tellIfTooOld(fine, stderr), false);
});

test("docs/reference/config.md names every key, and its default", async () => {
  const table = await readFile(new URL("../../../docs/reference/config.md", import.meta.url), "utf8");
  const { origins } = parseConfig({ services: { NAME: { run: "node x.js", code: "src" } } }, { projectDir: "/p", file: "midflight.config.ts", packageName: "demo" });
  const rows = new Map([...table.matchAll(/^\| `([^`]+)` \| (.*?) \|/gm)].map((match) => [match[1]!, match[2]!]));
  assert.deepEqual(new Set(rows.keys()), new Set(origins.keys()));
  for (const [key, { value, from }] of origins) {
    const told = /^`(.*)`$/.exec(rows.get(key)!)?.[1];
    if (from === "default" && told !== undefined) assert.equal(told, value, key);
  }
});
