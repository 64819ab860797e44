import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ResolvedConfig } from "@midflight/control";
import type { Context, RunCommand } from "../cli/context.ts";
import { findConfig } from "../config/find-config.ts";
import { renderConfig } from "../init/config-text.ts";
import { renderUnits } from "../init/systemd-units.ts";
import { codeOf, findListening, findProject, type FoundProject } from "../init/find-project.ts";
import { ask } from "./ask.ts";

/** `midflight init`: writes what is missing, never what is there. */
export function init(options: Readonly<Record<string, unknown>>): RunCommand {
  return async (context) => {
    const found = findProject(context.directory);
    const given = typeof options["run"] === "string" ? options["run"] : null;
    const existing = findConfig(context.directory);
    const isThere = existing !== null && existing.projectDir === path.resolve(context.directory);
    const written: string[] = [];
    const kept: string[] = [];
    const name = found.isEsm ? "midflight.config.ts" : "midflight.config.mts";
    if (isThere) kept.push(path.basename(existing.path));
    else {
      const run = given ?? found.run?.command ?? (await askRun(context));
      const code = typeof options["code"] === "string" ? options["code"] : codeOf(run);
      const { createDurably } = await import("@midflight/control");
      const text = renderConfig(found.app, { name: "web", run, code, ...findListening(context.directory, code) });
      const isNew = createDurably(path.join(context.directory, name), text);
      (isNew ? written : kept).push(name);
    }
    const config = await context.loadConfig();
    const { makeSecrets } = await import("@midflight/control");
    const { made } = makeSecrets(config);
    written.push(...made.map((file) => path.relative(context.directory, file)));
    if (ignoreDirectory(context.directory)) written.push(".gitignore");
    if (options["systemd"] === true) await writeUnits(context.directory, config, written, kept);
    const pane = context.screen.out;
    const service = config.services[0]!;
    return {
      data: { app: config.app, project: config.projectDir, written, kept, run: service.run, code: service.code, found },
      lines: [
        ...(isThere ? [] : [describe(found)]),
        ...written.map((file) => `  ${pane.paint("good", "+")} ${file}`),
        ...kept.map((file) => `  ${pane.paint("dim", "=")} ${file}   kept as it is`),
        ...(written.length === 0 ? ["Everything is there already."] : []),
        ...(service.health === null ? [`  ! ${service.name} has no health URL: it counts as ready when its agent says so. Add  health: "/readyz"`] : []),
      ],
      next: [{ command: "midflight up", why: "start it, now swappable" }],
    };
  };
}

/** What is there may have been adapted to the host, and is kept. */
async function writeUnits(directory: string, config: ResolvedConfig, written: string[], kept: string[]): Promise<void> {
  const { createDurably } = await import("@midflight/control");
  const units = renderUnits(config, { node: process.execPath, program: fs.realpathSync(process.argv[1]!), user: os.userInfo().username });
  for (const [name, text] of units) {
    const file = path.join("systemd", name);
    (createDurably(path.join(directory, file), text) ? written : kept).push(file);
  }
}

function describe(found: FoundProject): string {
  return `  Found  "${found.app}" · ${found.isTypeScript ? "TypeScript" : "JavaScript"} · ${found.run === null ? "no start command" : `${found.run.command} (${found.run.from})`} · ${found.isGit ? "git" : "no git"}`;
}

async function askRun(context: Context): Promise<string> {
  return ask(context, "Which command starts the app? (for example: node dist/server.js)", '--run "node server.js"');
}

/** True if it was not ignored before. Keys lie there. */
function ignoreDirectory(directory: string): boolean {
  const file = path.join(directory, ".gitignore");
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  if (/^\/?\.midflight\/?\s*$/m.test(text)) return false;
  fs.appendFileSync(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}.midflight/\n`);
  return true;
}
