import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { guardAgainstLeaks, startProcess, type StartedProcess } from "@midflight/testkit";
import { findFreePorts } from "../tour/free-ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-tutorial-"));
const env = { ...process.env, PATH: [path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter), LANG: "C.UTF-8", LC_ALL: undefined, NO_COLOR: "1" };

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(page: string, port: number): Block[] {
  const text = fs.readFileSync(path.join(root, page), "utf8").replaceAll("3600", String(port));
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map((match) => ({ language: match[1]!, text: match[2]! }));
}

/** Writes a block that names its file in its first line. */
function writeFileOf(folder: string, { text }: Block): void {
  const [, name = "", content = ""] = /^\/\/ (\S+)\n([\s\S]*)$/.exec(text) ?? [];
  assert.notEqual(name, "", text);
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), content);
}

/** What a page shows, as a pattern for the beginning of a line: times, process numbers and digests are others each time. */
function patternOf(line: string): RegExp {
  const escaped = line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +");
  const varying = escaped
    .replace(/process \+\d+|process +\d+/g, "process +\\d+")
    .replace(/\d+(?:\\\.\d+)? \+m?s\b/g, "\\d+(?:\\.\\d+)? +m?s")
    .replace(/\b[0-9a-f]{7}\b/g, "[0-9a-f]{7}");
  return new RegExp(`^${varying}`);
}

/** Runs the commands of a block and looks for the lines that the page shows below each. */
async function runConsole(folder: string, { text }: Block): Promise<StartedProcess | null> {
  let started: StartedProcess | null = null;
  for (const part of text.split(/^\$ /m).slice(1)) {
    const [command = "", ...expected] = part.trimEnd().split("\n");
    const words = command.split(" ");
    if (words[0] === "curl") {
      const answer = await (await fetch(words.at(-1)!, { headers: { connection: "close" } })).text();
      assert.equal(answer.trimEnd(), expected.join("\n"), command);
      continue;
    }
    const [file, args] = words[0] === "npx" ? [path.join(folder, "node_modules/.bin", words[1]!), words.slice(2)] : [words[0]!, words.slice(1)];
    if (command.includes(" up ")) {
      started = await startProcess({ command: file, args, cwd: folder, env: { ...env, NODE_TEST_CONTEXT: undefined } });
      continue;
    }
    const { stdout, stderr, status } = spawnSync(file, args, { cwd: folder, env, encoding: "utf8" });
    assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
    const lines = stdout.split("\n");
    for (const line of expected) assert.ok(lines.some((one) => patternOf(line).test(one)), `${command} did not print ${JSON.stringify(line)}:\n${stdout}`);
  }
  return started;
}

/** The first and the last line are printed once; those between stand there in their order. */
async function findInOrder(up: StartedProcess, shown: readonly string[]): Promise<void> {
  const first = patternOf(shown[0]!);
  const last = patternOf(shown.at(-1)!);
  await up.waitForLine(first);
  await up.waitForLine(last);
  const { lines } = up.stdout;
  let at = lines.findIndex((line) => first.test(line));
  for (const line of shown) {
    const found = lines.findIndex((one, i) => i >= at && patternOf(line).test(one));
    assert.notEqual(found, -1, `${JSON.stringify(line)} is not in\n${lines.slice(at).join("\n")}`);
    at = found + 1;
  }
}

describe("what the documentation shows", () => {
  after(() => fs.rmSync(workshop, { recursive: true, force: true }));
  guardAgainstLeaks();
  before(() => fs.symlinkSync(root, path.join(workshop, "midflight")));

  test("happens when somebody follows the tutorial", async () => {
    const folder = path.join(workshop, "hello");
    let up: StartedProcess | null = null;
    let commands = 0;
    for (const block of blocksOf("docs/tutorial.md", await findFreePorts(3600, 1))) {
      switch (block.language) {
        case "js":
          writeFileOf(folder, block);
          break;
        case "console":
          commands += 1;
          up = (await runConsole(folder, block)) ?? up;
          break;
        case "text":
          await findInOrder(up!, block.text.trimEnd().split("\n"));
          break;
        default:
          assert.fail(`a block in ${block.language}`);
      }
    }
    assert.ok(commands >= 10, `only ${commands} blocks of commands`);
    assert.equal((await up!.stop({ signal: "SIGINT" })).code, 0);
  });

  test("happens when somebody publishes from a source of their own", async () => {
    const folder = path.join(workshop, "own-source");
    const port = await findFreePorts(3650, 1);
    fs.mkdirSync(path.join(folder, "dist"), { recursive: true });
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "hello", version: "1.0.0", type: "module", private: true }));
    const server = (word: string): string => `import { createServer } from "node:http";\nfunction greet() {\n  return "${word}";\n}\ncreateServer((request, response) => response.end(greet())).listen(process.env.PORT ?? ${port});\n`;
    fs.writeFileSync(path.join(folder, "dist/server.js"), server("Hello"));
    const program = blocksOf("docs/guides/ci.md", port).find(({ text }) => text.startsWith("// publish.mjs"));
    assert.ok(program !== undefined);
    writeFileOf(folder, program);
    execFileSync("npm", ["install", "--save-dev", ...["midflight", "publisher", "registry-client", "trust"].map((name) => `../midflight/packages/${name}`)], { cwd: folder, env, stdio: "ignore" });
    const midflight = path.join(folder, "node_modules/.bin/midflight");
    execFileSync(midflight, ["init", "--run", "node dist/server.js", "--code", "dist"], { cwd: folder, env, stdio: "ignore" });
    const up = await startProcess({ command: midflight, args: ["up"], cwd: folder, env });
    await up.waitForLine(/1 of 1 process ready/);
    fs.writeFileSync(path.join(folder, "dist/server.js"), server("Good morning"));
    assert.equal(execFileSync(process.execPath, ["publish.mjs"], { cwd: folder, env, encoding: "utf8" }), "published r2\n");
    await up.waitForLine(/web-1 runs r2/);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: "close" } })).text(), "Good morning");
    assert.match(execFileSync(midflight, ["show", "r2"], { cwd: folder, env, encoding: "utf8" }), /a folder/);
    assert.equal((await up.stop({ signal: "SIGINT" })).code, 0);
  });
});
