import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { after, describe, test } from "node:test";
import { MidflightError } from "@midflight/protocol";
import { confirm } from "../src/command/ask.ts";
import { renderError } from "../src/output/error-text.ts";
import { openLiveLine } from "../src/output/live-line.ts";
import { createPane } from "../src/output/pane.ts";
import { createScreen } from "../src/output/screen.ts";
import { readScreenEnvironment } from "../src/config/environment.ts";
import { displayWidth } from "../src/output/text.ts";
import { renderVerdicts } from "../src/view/verdict-view.ts";
import type { Context } from "../src/cli/context.ts";
import { runHere, type RanHere } from "./support/run-here.ts";

const empty = mkdtempSync(path.join(os.tmpdir(), "midflight-empty-"));
after(() => rmSync(empty, { recursive: true, force: true }));

interface Written {
  readonly sink: { isTTY: boolean; columns: number; write(text: string): void };
  text(): string;
}

function collect(isTTY: boolean, columns = 80): Written {
  let all = "";
  return { sink: { isTTY, columns, write: (text) => void (all += text) }, text: () => all };
}

function run(args: readonly string[], variables?: Readonly<Record<string, string>>, tty: { isTTY: boolean; columns?: number } = { isTTY: false }): Promise<RanHere> {
  return runHere(args, { directory: empty, ...(variables === undefined ? {} : { variables }), ...tty });
}

// oxlint-disable-next-line no-control-regex
const escape = /\u001b/;

describe("colour", () => {
  test("is there on a terminal, and nowhere else", async () => {
    assert.match((await run(["explain", "USAGE"], { LANG: "C.UTF-8" }, { isTTY: true })).out, escape);
    assert.doesNotMatch((await run(["explain", "USAGE"])).out, escape);
  });

  test("NO_COLOR, TERM=dumb and --no-color take it away, FORCE_COLOR and --color bring it", async () => {
    const tty = { isTTY: true };
    assert.doesNotMatch((await run(["explain", "USAGE"], { NO_COLOR: "1" }, tty)).out, escape);
    assert.doesNotMatch((await run(["explain", "USAGE"], { TERM: "dumb" }, tty)).out, escape);
    assert.doesNotMatch((await run(["explain", "USAGE", "--no-color"], {}, tty)).out, escape);
    assert.match((await run(["explain", "USAGE"], { FORCE_COLOR: "1" })).out, escape);
    assert.match((await run(["explain", "USAGE", "--color"])).out, escape);
    assert.doesNotMatch((await run(["explain", "USAGE"], { FORCE_COLOR: "0" }, tty)).out, escape);
  });

  test("an error without UTF-8 is plain ASCII", async () => {
    // oxlint-disable-next-line no-control-regex
    assert.match((await run(["status"], { LANG: "C" })).err, /^[\u0000-\u007f]+$/);
  });
});

describe("streams and exit codes", () => {
  test("an error goes to stderr in four lines, stdout stays empty", async () => {
    const { code, out, err } = await run(["status"]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /✖ CONFIG_NOT_FOUND\n[\s\S]*\n {2}Why {4}[\s\S]*\n {2}State {2}[\s\S]*\n {2}Do {5}midflight init/);
  });

  test("--json gives one object on stdout for every command, also for a command line that cannot be parsed", async () => {
    for (const args of [["status"], ["plan"], ["deploy"], ["rollback"], ["releases"], ["releases", "diff", "a", "b"], ["show"], ["ps"], ["up"], ["config"], ["init", "--no-input"], ["explain", "NO"], ["completion", "no"], ["nope"], ["deploy", "--nope"], ["status", "--watch"]]) {
      const { code, out, err } = await run([...args, "--json"]);
      const answer = JSON.parse(out) as { schema: number; ok: boolean; error: { code: string }; next: unknown[] };
      assert.deepEqual([answer.schema, answer.ok, err], [1, false, ""], args.join(" "));
      assert.equal(code, 2, args.join(" "));
      assert.ok(Array.isArray(answer.next));
    }
  });

  test("unknown commands, options and values do nothing, and offer a guess", async () => {
    for (const [args, guess] of [
      [["deploy", "--dryrun"], /Did you mean --dry-run\?/],
      [["rolback"], /Did you mean rollback\?/],
      [["deploy", "--max-rung", "reloaded"], /Allowed choices are patch, redefine, reload, replace/],
      [["explain", "REPLACE_NEDED"], /Did you mean REPLACE_NEEDED\?/],
      [["deploy", "--timeout", "soon"], /number of seconds/],
      [["deploy", "--meta", "nothing"], /not key=value/],
      [["plan", "--from", "nowhere"], /There is no directory .*nowhere/],
      [["status", "--config", "nowhere.ts"], /There is no .*nowhere\.ts\. Why --config names it/],
      [["completion", "zhs"], /Did you mean zsh\?/],
      [["releases", "diff", "r1"], /missing required argument 'to'/i],
    ] as const) {
      const { code, out, err } = await run(args);
      assert.equal(code, 2, args.join(" "));
      assert.match(err.replace(/\s+/g, " "), guess, args.join(" "));
      assert.equal(out, "");
    }
  });

  test("help and version go to stdout with exit 0, also without a command", async () => {
    for (const args of [[], ["--help"], ["deploy", "--help"], ["--version"]]) {
      const { code, out, err } = await run(args);
      assert.equal(code, 0);
      assert.ok(out.length > 3);
      assert.equal(err, "");
      for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
    }
  });

  test("a long line of evidence stays under what it belongs to", () => {
    const pane = createPane({ write: () => {}, columns: 60 }, { isColoured: false, isUnicode: true, isDumb: false });
    const long = "no reload: its dispose() does not mention nextId, and what that holds would be lost";
    const verdict = { unit: "store.js", rung: "replace", reason: "it ran", evidence: [long], rejected: [] } as const;
    const error = new MidflightError("REPLACE_NEEDED", { what: "No.", why: `it ran\n${long}`, state: "s", fix: ["f"] });
    for (const lines of [renderVerdicts([verdict], pane, "  "), renderError(error, pane)]) {
      const at = lines.findIndex((line) => line.startsWith("    no reload"));
      assert.match(lines[at + 1]!, /^ {4}\S/);
    }
  });

  test("in a narrow terminal nothing is wider than it", async () => {
    for (const args of [["explain", "REPLACE_NEEDED"], ["status"], ["deplyo"]]) {
      const { out, err } = await run(args, { LANG: "C.UTF-8", NO_COLOR: "1" }, { isTTY: true, columns: 40 });
      for (const line of `${out}\n${err}`.split("\n")) assert.ok(displayWidth(line) <= 40, line);
    }
  });
});

describe("configuration", () => {
  async function withConfig(text: string, args: readonly string[] = ["config", "--explain", "--json"], variables: Record<string, string> = {}): Promise<{ code: number; answer: Record<string, unknown> }> {
    const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-config-"));
    try {
      writeFileSync(path.join(directory, "midflight.config.ts"), text);
      const { code, out } = await run(["-C", directory, ...args], variables);
      return { code, answer: JSON.parse(out) as Record<string, unknown> };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const service = '{ web: { run: "node a.js", code: "src" } }';

  test("a TypeScript file loads natively, one that Node cannot read by itself all the same", async () => {
    for (const text of [
      `export default { app: "x", services: ${service} };`,
      `enum Port { Http = 3000 }\nexport default { app: "x", services: { web: { run: "node a.js", code: "src", env: { PORT: String(Port.Http) } } } };`,
      `import { defineConfig } from "midflight";\nexport default defineConfig({ app: "x", services: ${service} });`,
    ]) {
      const { code, answer } = await withConfig(text);
      assert.equal(code, 0, JSON.stringify(answer));
      assert.equal((answer["config"] as { channelName: string }).channelName, "x/development");
    }
  });

  test("package.json#midflight does as well, and the nearest one above counts", async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-config-"));
    try {
      writeFileSync(path.join(directory, "package.json"), JSON.stringify({ name: "@scope/pack", midflight: { services: { web: { run: "node a.js", code: "src" } } } }));
      mkdirSync(path.join(directory, "deep/down"), { recursive: true });
      const { code, out } = await run(["-C", path.join(directory, "deep/down"), "config", "--json", "--explain"]);
      const answer = JSON.parse(out) as { config: { app: string; projectDir: string }; origins: Record<string, string> };
      assert.deepEqual([code, answer.config.app, answer.config.projectDir, answer.origins["app"]], [0, "pack", directory, "package.json"]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("an unknown key is refused with its path and a guess", async () => {
    const { code, answer } = await withConfig(`export default { app: "x", services: { web: { run: "node a.js", code: "src", proceses: 2 } } };`);
    assert.equal(code, 2);
    assert.match((answer["error"] as { what: string }).what, /services\.web\.proceses in midflight\.config\.ts .*Did you mean processes\?/);
  });

  test("a variable wins over the file, and config --explain tells", async () => {
    const { answer } = await withConfig(`export default { app: "x", services: ${service}, rollout: { maxRung: "patch" } };`, undefined, { MIDFLIGHT_MAX_RUNG: "replace" });
    assert.equal((answer["config"] as { rollout: { maxRung: unknown } }).rollout.maxRung, "replace");
    const origins = answer["origins"] as Record<string, string>;
    assert.deepEqual([origins["rollout.maxRung"], origins["app"], origins["port"]], ["env MIDFLIGHT_MAX_RUNG", "midflight.config.ts", "default"]);
  });

  test("a file that throws is told with its reason", async () => {
    const { code, answer } = await withConfig(`throw new Error("no luck");`);
    assert.equal(code, 2);
    assert.match((answer["error"] as { why: string }).why, /no luck/);
  });

  test("values of variables are never printed", async () => {
    const { answer } = await withConfig(`export default { app: "x", services: { web: { run: "node a.js", code: "src", env: { SECRET: "hunter2" } } } };`);
    assert.doesNotMatch(JSON.stringify(answer), /hunter2/);
  });
});

describe("completion", () => {
  test("offers commands, options, values and codes", async () => {
    const lines = async (...words: string[]): Promise<string[]> => (await run(["__complete", "--", ...words])).out.trim().split("\n");
    assert.deepEqual(await lines("rel"), ["releases"]);
    assert.deepEqual(await lines("deploy", "--ma"), ["--max-rung"]);
    assert.deepEqual(await lines("deploy", "--max-rung", "re"), ["redefine", "reload", "replace"]);
    assert.deepEqual(await lines("explain", "REPLACE"), ["REPLACE_FAILED", "REPLACE_NEEDED"]);
    assert.deepEqual(await lines("completion", ""), ["bash", "zsh", "fish"]);
    assert.ok(!(await lines("")).some((line) => line.startsWith("__")));
    assert.deepEqual(await lines("deploy", "--max-rung", "=", "rel"), ["reload"]);
    assert.deepEqual(await lines("deploy", "--max-rung", "="), ["patch", "redefine", "reload", "replace"]);
    assert.deepEqual(await lines("deploy", "--max-rung=rel"), ["--max-rung=reload"]);
    assert.deepEqual(await lines("explain", "USAGE", ""), [""], "there is no second argument");
  });
});

describe("questions", () => {
  function contextFor(isTTY: boolean, answer: string): Context {
    const stdin = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream;
    const stderr = Object.assign(new PassThrough(), { isTTY, columns: 80 });
    const screen = createScreen({ stdin, stdout: stderr, stderr }, { json: false, input: true, quiet: false }, readScreenEnvironment({ LANG: "C.UTF-8" }));
    (stdin as unknown as PassThrough).write(`${answer}\n`);
    return { screen } as unknown as Context;
  }

  test("on a terminal a person answers; Enter takes the default, which for the way back is yes", async () => {
    assert.equal(await confirm(contextFor(true, "y"), "Deploy?", false, false), true);
    assert.equal(await confirm(contextFor(true, ""), "Deploy?", false, false), false);
    assert.equal(await confirm(contextFor(true, ""), "Roll back?", false, true), true);
    assert.equal(await confirm(contextFor(true, "n"), "Roll back?", false, true), false);
  });

  test("a person who leaves at the question has done nothing", async () => {
    const context = contextFor(true, "");
    const stdin = new PassThrough();
    const asked = confirm({ ...context, screen: { ...context.screen, canAsk: true, streams: { ...context.screen.streams, stdin: stdin as unknown as NodeJS.ReadStream } } }, "Deploy?", false, false);
    stdin.end();
    await assert.rejects(asked, (error: { code: string }) => error.code === "COMMAND_INTERRUPTED");
  });

  test("without a terminal nobody is asked: the missing flag is named", async () => {
    await assert.rejects(confirm(contextFor(false, "y"), "Deploy to production?", false, false), (error: { code: string; facts: { fix: string[] } }) => error.code === "CONFIRMATION_MISSING" && /--yes/.test(error.facts.fix[0]!));
    assert.equal(await confirm(contextFor(false, ""), "Deploy?", true, false), true);
  });
});

describe("the live line", () => {
  test("draws in place on a terminal and leaves nothing behind", () => {
    const written = collect(true);
    const line = openLiveLine(createPane(written.sink, { isColoured: false, isUnicode: true, isDumb: false }), false);
    line.show("working");
    line.end();
    assert.match(written.text(), /working/);
    assert.ok(written.text().endsWith("\r\u001b[K"));
  });

  test("elsewhere says each new thing once, on a line of its own", () => {
    const written = collect(false);
    const line = openLiveLine(createPane(written.sink, { isColoured: false, isUnicode: true, isDumb: false }), false);
    for (const text of ["one", "one", "two", "", "two"]) line.show(text);
    line.end();
    assert.equal(written.text(), "one\ntwo\n");
  });

  test("elsewhere is silent while nothing but time passes, and reminds every ten seconds", (t) => {
    const written = collect(false);
    let now = 0;
    t.mock.method(performance, "now", () => now);
    const line = openLiveLine(createPane(written.sink, { isColoured: false, isUnicode: true, isDumb: false }), false);
    for (now = 0; now <= 20_000; now += 100) line.show(`baking ${now / 1000} s of 60 s · 1 of 4`);
    line.show("baking 21 s of 60 s · 2 of 4");
    assert.deepEqual(written.text().trim().split("\n"), ["baking 0 s of 60 s · 1 of 4", "baking 10 s of 60 s · 1 of 4", "baking 20 s of 60 s · 1 of 4", "baking 21 s of 60 s · 2 of 4"]);
  });
});
