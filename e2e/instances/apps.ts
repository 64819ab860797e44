/** Small apps in many instances. Version n of `price` and `tax` is what an edit changes; `bump` counts per instance. */
const price = (n: number): string => `let calls = 0;
export function bump() {
  calls += 1;
  return calls;
}
export function price() {
  return ${n};
}
`;
const tax = (n: number): string => `let calls = 0;
exports.bump = () => {
  calls += 1;
  return calls;
};
exports.tax = function tax() {
  return ${n};
};
`;

/** What an edit writes. */
export const version = (n: number): Record<string, string> => ({ "src/price.js": price(n), "src/tax.cjs": tax(n) });

const listen = 'server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(`port ${server.address().port}`));\n';

/** One process, four instances: an ES module twice, by a query string, and a CommonJS module twice, by an emptied cache. */
export const manyInstances = (n: number): Record<string, string> => ({
  "package.json": '{"type":"module"}',
  ...version(n),
  "src/server.js": `import http from "node:http";
import { createRequire } from "node:module";
import * as esm from "./price.js";
import * as query from "./price.js?again";
const require = createRequire(import.meta.url);
const cjs = require("./tax.cjs");
delete require.cache[require.resolve("./tax.cjs")];
const fresh = require("./tax.cjs");
const { price } = query;
const bound = cjs.tax.bind(null);
const server = http.createServer((request, response) => {
  const versions = [esm.price(), query.price(), price(), cjs.tax(), fresh.tax(), bound()];
  const bumps = [esm.bump(), esm.bump(), query.bump(), cjs.bump(), fresh.bump()];
  response.end(JSON.stringify({ versions, bumps, pid: process.pid }));
});
${listen}`,
});

/** A main thread, a worker thread and a forked child; each answers for itself. */
export const threadsAndChildren = (n: number): Record<string, string> => ({
  "package.json": '{"type":"module"}',
  ...version(n),
  "src/other.js": `import { parentPort } from "node:worker_threads";
import { price } from "./price.js";
const answer = (send) => send({ version: price(), pid: process.pid });
if (parentPort !== null) parentPort.on("message", () => answer((m) => parentPort.postMessage(m)));
else process.on("message", () => answer((m) => process.send(m)));
`,
  "src/server.js": `import { fork } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { Worker } from "node:worker_threads";
import { price } from "./price.js";
const other = new URL("./other.js", import.meta.url);
const worker = new Worker(other);
const child = fork(other);
const server = http.createServer(async (request, response) => {
  worker.postMessage("?");
  child.send("?");
  const [[w], [c]] = await Promise.all([once(worker, "message"), once(child, "message")]);
  response.end(JSON.stringify({ versions: [price(), w.version, c.version], pids: [process.pid, w.pid, c.pid] }));
});
${listen}`,
});

/** A primary and two workers on one port; one that ends is started again. */
export const clustered = (n: number): Record<string, string> => ({
  "package.json": '{"type":"module"}',
  ...version(n),
  "src/server.js": `import cluster from "node:cluster";
import http from "node:http";
import { price } from "./price.js";
if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
  cluster.on("exit", () => cluster.fork());
  let listening = 0;
  cluster.on("listening", (worker, { port }) => {
    listening += 1;
    if (listening === 2) console.log(\`port \${port}\`);
  });
} else {
  http.createServer((request, response) => response.end(JSON.stringify({ version: price(), pid: process.pid }))).listen(0, "127.0.0.1");
}
`,
});

/** A server over a package of its own \`node_modules\`, which pnpm has made of links. */
export const withPackage = (n: number): Record<string, string> => ({
  "package.json": '{"type":"module"}',
  ...version(n),
  "src/server.js": `import http from "node:http";
import { label } from "left";
import { price } from "./price.js";
const server = http.createServer((request, response) => response.end(JSON.stringify({ says: label(price()), pid: process.pid })));
${listen}`,
});

/** As pnpm lays them out: real folders in a store, linked by name; what a package needs lies beside it there. */
export const pnpmStore: Readonly<Record<string, string>> = {
  ".pnpm/left@1.0.0/node_modules/left/package.json": '{"name":"left","version":"1.0.0","type":"module","exports":"./index.js"}',
  ".pnpm/left@1.0.0/node_modules/left/index.js": 'import { mark } from "right";\nexport const label = (n) => `${mark}${n}`;\n',
  ".pnpm/right@2.0.0/node_modules/right/package.json": '{"name":"right","version":"2.0.0","type":"module","exports":"./index.js"}',
  ".pnpm/right@2.0.0/node_modules/right/index.js": 'export const mark = "right ";\n',
};
export const pnpmLinks: Readonly<Record<string, string>> = {
  left: ".pnpm/left@1.0.0/node_modules/left",
  ".pnpm/left@1.0.0/node_modules/right": "../../right@2.0.0/node_modules/right",
};
