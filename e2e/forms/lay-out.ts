import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Lays the forms' host out in `directory` with the packages that it needs as plain JavaScript, made from the sources
 * as they are now, so that every supported Node runs exactly what is being tested. Returns the host's path.
 */
export function layOutForms(directory: string): string {
  layOut(directory, ["forms"]);
  return path.join(directory, "forms-host.mjs");
}

/** Copies some of e2e's folders into one directory, beside the packages that they import. */
export function layOut(directory: string, folders: readonly string[]): void {
  for (const name of ["protocol", "planner", "agent"]) layOutPackage(name, path.join(directory, "node_modules/@midflight", name));
  symlinkSync(path.join(root, "node_modules/acorn"), path.join(directory, "node_modules/acorn"));
  for (const folder of folders) cpSync(path.join(root, "e2e", folder), directory, { recursive: true });
}

function layOutPackage(name: string, to: string): void {
  const sources = path.join(root, "packages", name, "src");
  for (const file of globSync("**/*.ts", { cwd: sources })) {
    const target = path.join(to, "dist", file.replace(/\.ts$/, ".js"));
    mkdirSync(path.dirname(target), { recursive: true });
    const text = stripTypeScriptTypes(readFileSync(path.join(sources, file), "utf8"), { mode: "strip" });
    writeFileSync(target, text.replaceAll(/(from\s+"\.[^"]*)\.ts"/g, '$1.js"'));
  }
  cpSync(path.join(root, "packages", name, "package.json"), path.join(to, "package.json"));
}
