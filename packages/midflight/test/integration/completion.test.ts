import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runHere } from "../support/run-here.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const workshop = mkdtempSync(path.join(os.tmpdir(), "midflight-completion-"));
after(() => rmSync(workshop, { recursive: true, force: true }));

type Shell = "bash" | "zsh" | "fish";

/** What a person types before the Tab key, and what the line is after it. */
const lines: Readonly<Record<string, string>> = {
  "midflight roll": "midflight rollback",
  "midflight build --ou": "midflight build --out",
  "midflight deploy --max-rung rel": "midflight deploy --max-rung reload",
  "midflight deploy --max-rung=rel": "midflight deploy --max-rung=reload",
  "midflight explain REPLACE_N": "midflight explain REPLACE_NEEDED",
  "midflight -C deploy releases di": "midflight -C deploy releases diff",
  "midflight -C 'a folder' stat": "midflight -C 'a folder' status",
  // What midflight knows nothing of is taken for a file.
  "midflight -C some-fo": "midflight -C some-folder/",
  "midflight build --out=some-fo": "midflight build --out=some-folder/",
};

const runs: Readonly<Record<Shell, (script: string) => readonly string[]>> = { bash: inBash, zsh: inZsh, fish: inFish };

/** Asks bash's programmable completion, and what its `-o default` says of the rest, for the last word. */
function inBash(script: string): readonly string[] {
  const program = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _midflight
if [[ \${#COMPREPLY[@]} == 0 && $(complete -p midflight) == *"-o default"* ]]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); fi
printf '%s\n' "\${COMPREPLY[@]}"`;
  return Object.keys(lines).map((line) => {
    // Words as bash's line editor breaks them: "=" is one.
    const words = Array.from(line.matchAll(/'([^']*)'|[^ =]+|=/g), ([word, quoted]) => quoted ?? word);
    const found = run("bash", ["-c", program, "bash", ...words]).stdout.trimEnd().split("\n");
    assert.equal(found.length, 1, `${line}: ${found.join(" ")}`);
    return line.slice(0, -words.at(-1)!.length) + found[0]! + (found[0] === "some-folder" ? "/" : "");
  });
}

/** A real line editor in a pseudo-terminal, with the script found in `fpath`, as its second line says, and read by a start file. */
function inZsh(script: string): readonly string[] {
  const [found, read] = ["found", "read"].map((way) => {
    const folder = path.join(workshop, `zsh-${way}`);
    mkdirSync(folder);
    writeFileSync(path.join(folder, "_midflight"), script);
    const init = "autoload -Uz compinit; compinit -u -D";
    writeFileSync(path.join(folder, ".zshrc"), `${way === "found" ? `fpath=(${folder} $fpath); ${init}` : `${init}; source ${folder}/_midflight`}
probe() {
  local line
  for line in "\${(@f)LINES_TO_TRY}"; do BUFFER=$line; CURSOR=$#BUFFER; zle complete-word; print -r -- "$BUFFER" >> ${folder}/completed; done
  exit
}
zle -N zle-line-init probe
`);
    run("zsh", ["-fc", 'zmodload zsh/zpty; zpty editor "zsh -i"; while zpty -r editor output; do :; done'], { ZDOTDIR: folder, LINES_TO_TRY: Object.keys(lines).join("\n"), TERM: "xterm" });
    return readFileSync(path.join(folder, "completed"), "utf8").trimEnd().split("\n").map((line) => line.trimEnd());
  });
  assert.deepEqual(read, found);
  return found!;
}

/** Asks fish for all candidates of each line; one candidate is what Tab would take. */
function inFish(script: string): readonly string[] {
  const folder = path.join(workshop, "config/fish/completions");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "midflight.fish"), script);
  return Object.keys(lines).map((line) => {
    const found = run("fish", ["-c", "complete -C $LINE"], { LINE: line, XDG_CONFIG_HOME: path.join(workshop, "config"), HOME: workshop }).stdout.trimEnd().split("\n");
    assert.equal(found.length, 1, `${line}: ${found.join(" ")}`);
    return line.slice(0, line.lastIndexOf(" ") + 1) + found[0]!;
  });
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): { readonly stdout: string; readonly isThere: boolean } {
  const ran = spawnSync(command, args, { encoding: "utf8", cwd: path.join(workshop, "cwd"), timeout: 120_000, env: { ...process.env, PATH: `${path.join(workshop, "bin")}:${process.env["PATH"]}`, ...env } });
  return { stdout: ran.stdout ?? "", isThere: ran.error === undefined };
}

describe("completion", () => {
  before(() => {
    mkdirSync(path.join(workshop, "bin"));
    mkdirSync(path.join(workshop, "cwd/some-folder"), { recursive: true });
    const command = path.join(workshop, "bin/midflight");
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" --conditions=@midflight/source "${main}" "$@"\n`);
    chmodSync(command, 0o755);
  });

  for (const shell of ["bash", "zsh", "fish"] as const) {
    test(`in ${shell} completes commands, options, values and files`, async () => {
      const script = (await runHere(["completion", shell], { directory: workshop })).out;
      // Not every machine has each shell. The text that was tried in the real one is kept, so that no other text passes where it is missing.
      const tried = readFileSync(new URL(`../fixtures/completion/${shell}`, import.meta.url), "utf8");
      if (run(shell, ["-c", "exit 0"]).isThere) assert.deepEqual(runs[shell](script), Object.values(lines));
      assert.equal(script, tried, `this script was not tried: run this test where ${shell} is installed, then keep the text in test/fixtures/completion/${shell}`);
    });
  }
});
