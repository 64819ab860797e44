/** Sources of an app of many small modules, one of which is only ever commented on. */
export const appModules = 60;

/** @param others how many more modules the release has, all of them loaded, none of which ever changes */
export function appFiles(others = 0): Record<string, string> {
  const files: Record<string, string> = { "package.json": JSON.stringify({ name: "paused-app", private: true, type: "module" }), "src/remark.js": remarkText(0) };
  const rest = Array.from({ length: others }, (_, i) => `rest/${Math.floor(i / 100)}/r${i}.js`);
  for (const [i, file] of rest.entries()) files[`src/${file}`] = `export function other() {\n  return ${i};\n}\n`;
  for (let i = 0; i < appModules; i += 1) files[moduleFile(i)] = moduleText(i, 0);
  const indices = Array.from({ length: appModules }, (_, i) => i);
  files["src/app.js"] = `import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { remark } from "./remark.js";
${indices.map((i) => `import { revision as r${i} } from "./m${i}.js";`).join("\n")}
${rest.map((file) => `import "./${file}";`).join("\n")}

const revisions = [${indices.map((i) => `() => r${i}()`).join(", ")}];
const ballast = [];
let last = null;
const heapBytes = Number(process.env.HEAP_MB) * 1e6;
for (let n = 0; process.memoryUsage().heapUsed < heapBytes; n += 1000) {
  for (let k = n; k < n + 1000; k += 1) ballast.push((last = { id: k, name: "part " + k, next: last }));
}
// A heap that has just grown is still being marked: a process that has run for a while is measured.
setFlagsFromString("--expose-gc");
runInNewContext("gc()");

const server = createServer((request, response) => {
  response.end(JSON.stringify({ remark: remark(), parts: ballast.length, revisions: revisions.map((revision) => revision()) }));
});
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;
  return files;
}

export function moduleFile(i: number): string {
  return `src/m${i}.js`;
}

/** Only bodies differ between revisions. */
export function moduleText(i: number, revision: number): string {
  const sums = Array.from(
    { length: 20 },
    (_, n) => `export function sum${n}(lines) {
  let cents = ${n % 4 === 0 ? revision : n};
  for (const line of lines) {
    if (line.shelf !== ${i}) continue;
    cents += line.quantity * line.cents;
  }
  return cents;
}`,
  );
  return `export function revision() {\n  return ${revision};\n}\n\n${sums.join("\n\n")}\n`;
}

/** No code differs between remarks. */
export function remarkText(remark: number): string {
  return `// Remark ${remark}.\nexport function remark() {\n  return "nothing to do";\n}\n`;
}
