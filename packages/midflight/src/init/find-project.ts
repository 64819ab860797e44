import fs from "node:fs";
import path from "node:path";
import { readManifest } from "../config/find-config.ts";

/** What a project's own files tell about how it is started. */
export interface FoundProject {
  readonly app: string;
  readonly isEsm: boolean;
  readonly isTypeScript: boolean;
  readonly isGit: boolean;
  /** Command that starts it, and where that was read; null if nothing says so. */
  readonly run: { readonly command: string; readonly from: string } | null;
}

const entryNames = ["dist/server.js", "dist/main.js", "dist/index.js", "src/server.ts", "src/main.ts", "src/index.ts", "src/server.js", "src/index.js", "server.js", "app.js", "index.js", "main.js"];

export function findProject(directory: string): FoundProject {
  const manifest = readManifest(directory) ?? {};
  const name = typeof manifest["name"] === "string" ? manifest["name"].replace(/^@[^/]*\//, "") : path.basename(directory);
  const run = findRun(directory, manifest);
  return {
    app: name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "app",
    isEsm: manifest["type"] === "module",
    isTypeScript: fs.existsSync(path.join(directory, "tsconfig.json")) || /\.[cm]?ts(?:\s|$)/.test(run?.command ?? ""),
    isGit: isInGit(directory),
    run,
  };
}

function findRun(directory: string, manifest: Readonly<Record<string, unknown>>): FoundProject["run"] {
  const scripts = (manifest["scripts"] ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of ["start", "serve", "start:prod", "dev"]) {
    const command = typeof scripts[name] === "string" ? toNodeCommand(scripts[name]) : null;
    if (command !== null) return { command, from: `package.json, script ${name}` };
  }
  const main = manifest["main"];
  const entry = [...(typeof main === "string" ? [main] : []), ...entryNames].find((file) => fs.existsSync(path.join(directory, file)));
  return entry === undefined ? null : { command: `node ${path.posix.normalize(entry)}`, from: entry };
}

/** The part of a script that starts the app: the last command, if it is Node or one of the tools that stand for it. */
export function toNodeCommand(script: string): string | null {
  const last = script.split(/&&|;|\|\|?/).at(-1)!.trim().replace(/^(?:cross-env\s+)?(?:[A-Za-z_]\w*=\S*\s+)*/, "");
  const [tool = "", ...args] = last.split(/\s+/);
  if (tool === "node") {
    const kept = args.filter((arg) => !/^--(watch|inspect|experimental-strip-types)/.test(arg));
    return kept.some((arg) => !arg.startsWith("-")) ? `node ${kept.join(" ")}` : null;
  }
  const file = args.find((arg) => /\.[cm]?[jt]s$/.test(arg));
  return ["nodemon", "tsx", "ts-node", "pm2", "forever", "node-dev"].includes(tool) && file !== undefined ? `node ${file}` : null;
}

/** The directory whose files may change: the first part of the entry's path. */
export function codeOf(run: string): string {
  const file = run.split(/\s+/).slice(1).find((word) => /\.[cm]?[jt]s$/.test(word) || word.includes("/"));
  const normal = path.posix.normalize(file ?? ".");
  return normal.includes("/") ? normal.slice(0, normal.indexOf("/")) : ".";
}

/** What the code says about where it listens and how its health is asked. Null where it says nothing clear. */
export function findListening(directory: string, code: string): { readonly port: string | null; readonly health: string | null } {
  const text = readSources(path.join(directory, code === "dist" && fs.existsSync(path.join(directory, "src")) ? "src" : code));
  const port = /\bPORT\b[^\n]{0,60}?\b(\d{4,5})\b/.exec(text)?.[1] ?? null;
  const health = ["/readyz", "/healthz", "/health", "/ready", "/livez", "/ping"].find((one) => text.includes(`"${one}"`) || text.includes(`'${one}'`) || text.includes(`\`${one}\``));
  return { port, health: health ?? null };
}

const maxFiles = 300;
const maxFileBytes = 200_000;

function readSources(directory: string): string {
  const files: string[] = [];
  const visit = (at: string): void => {
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      if (files.length >= maxFiles) return;
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      const full = path.join(at, entry.name);
      if (entry.isDirectory()) visit(full);
      else if (/\.[cm]?[jt]s$/.test(entry.name) && fs.statSync(full).size <= maxFileBytes) files.push(full);
    }
  };
  if (fs.existsSync(directory)) visit(directory);
  return files.map((file) => fs.readFileSync(file, "utf8")).join("\n");
}

function isInGit(directory: string): boolean {
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".git"))) return true;
    if (path.dirname(at) === at) return false;
  }
}
