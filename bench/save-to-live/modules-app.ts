import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";

export const codeFolder = "dist";
/** The build writes it last. */
export const marker = ".build-finished";
const moduleBytes = 6 * 1024;
const modulesPerFolder = 20;

/** An HTTP app without a framework, whose answers say which revision of its modules made them. */
export interface ModulesApp {
  readonly projectDir: string;
  readonly modules: number;
  /** What a build does: writes the first `count` modules anew, each with a few changed bodies. Answers when the last one was written, in ms of `performance.now()`. */
  build(count: number, revision: string): number;
  /** Says that the build has finished. */
  finish(): void;
}

/** `/one` asks the first module, `/all` every module: one answer if all agree, `mixed` if not. */
export function writeModulesApp(projectDir: string, modules: number): ModulesApp {
  const folder = path.join(projectDir, codeFolder);
  for (let i = 0; i < modules; i += modulesPerFolder) mkdirSync(path.dirname(path.join(folder, moduleName(i))), { recursive: true });
  writeFileSync(path.join(projectDir, "package.json"), JSON.stringify({ name: "modules-app", private: true, type: "module" }));
  const build = (count: number, revision: string): number => {
    for (let i = 0; i < count; i += 1) writeFileSync(path.join(folder, moduleName(i)), moduleText(i, revision));
    return performance.now();
  };
  build(modules, "r0");
  writeFileSync(path.join(folder, "server.js"), serverText(modules));
  const finish = (): void => {
    writeFileSync(path.join(projectDir, marker), "");
    // The same empty file again: its time is the news.
    utimesSync(path.join(projectDir, marker), new Date(), new Date());
  };
  finish();
  return { projectDir, modules, build, finish };
}

function moduleName(i: number): string {
  return `shelf-${Math.floor(i / modulesPerFolder)}/m${String(i).padStart(3, "0")}.js`;
}

export function moduleText(i: number, revision: string): string {
  const parts = [`/** Prices of shelf ${i}. */`, `export function revision() {\n  return "${revision}";\n}`];
  let bytes = 0;
  for (let n = 0; bytes < moduleBytes; n += 1) {
    const part = n % 8 === 0 ? changedPart(n, revision) : constantPart(i, n);
    parts.push(part);
    bytes += part.length + 2;
  }
  return `${parts.join("\n\n")}\n`;
}

function changedPart(n: number, revision: string): string {
  return `export function label${n}(product) {\n  if (product === null) return "${revision}";\n  return \`\${product.name} (${revision})\`;\n}`;
}

function constantPart(i: number, n: number): string {
  return [
    `/** Sums up the lines of a cart that lie on shelf ${i}. */`,
    `export function sum${n}(lines, rate = ${n % 5}) {`,
    `  let cents = 0;`,
    `  for (const line of lines) {`,
    `    if (line.shelf !== ${i}) continue;`,
    `    cents += line.quantity * line.cents;`,
    `  }`,
    `  return Math.round((cents * (100 + rate)) / 100);`,
    `}`,
  ].join("\n");
}

function serverText(modules: number): string {
  const names = Array.from({ length: modules }, (_, i) => i);
  return `import { createServer } from "node:http";
${names.map((i) => `import { revision as r${i} } from "./${moduleName(i)}";`).join("\n")}

const revisions = [${names.map((i) => `() => r${i}()`).join(", ")}];

function answer(path) {
  const first = revisions[0]();
  if (path === "/one") return first;
  return revisions.every((revision) => revision() === first) ? first : "mixed";
}

const server = createServer((request, response) => {
  response.end(answer(request.url));
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
process.on("SIGINT", () => process.exit(0));
`;
}
