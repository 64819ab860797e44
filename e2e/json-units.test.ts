import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AppProcess, guardAgainstLeaks, startSystem, type System } from "@midflight/testkit";
import { nodeBinary, nodeMajors } from "../scripts/node-versions.mjs";

const rates = (normal: number): string => JSON.stringify({ normal, reduced: [normal / 2, normal / 4], labels: { normal: `${normal} %` } }, null, 2);
const limits = (most: number): string => `{ "most": ${most} }\n`;

const files = {
  "package.json": '{"type":"module"}',
  "src/server.js":
    'import { createServer } from "node:http";\nimport { tax } from "./tax.js";\nimport rates from "./data/rates.json" with { type: "json" };\nimport limited from "./limited.cjs";\nlet served = 0;\n' +
    "function answer() {\n  served += 1;\n  return { tax: tax(100), reduced: rates.reduced, limited: limited.cap(50), served };\n}\n" +
    'const server = createServer(async (request, response) => {\n  const first = answer();\n  if (request.url === "/slow") await new Promise((resolve) => setTimeout(resolve, 600));\n  response.end(JSON.stringify({ first, last: answer() }));\n});\nserver.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));\n',
  "src/tax.js": 'import table from "./data/rates.json" with { type: "json" };\nexport function tax(n) {\n  const { normal, labels } = table;\n  return [(n * normal) / 100, labels.normal];\n}\n',
  "src/limited.cjs": '"use strict";\nconst limits = require("./data/limits.json");\nexports.cap = (n) => Math.min(n, limits.most);\n',
  "src/data/rates.json": rates(20),
  "src/data/limits.json": limits(10),
};

interface Part {
  readonly tax: readonly [number, string];
  readonly reduced: readonly number[];
  readonly limited: number;
  readonly served: number;
}

const ask = async ({ url }: AppProcess, path = "/"): Promise<{ readonly first: Part; readonly last: Part }> => (await (await fetch(new URL(path, url), { headers: { connection: "close" } })).json()) as { first: Part; last: Part };

async function startShop(more: Readonly<Record<string, string>> = {}): Promise<System> {
  const system = await startSystem({ app: "shop", files: { ...files, ...more }, code: ["src"], run: "node src/server.js", ready: /^port (\d+)$/ });
  await system.publish();
  return system;
}

describe("a JSON file that code imports", () => {
  guardAgainstLeaks();

  for (const major of nodeMajors) {
    test(`gets its new value in all who import or require it, while requests end on the old one, on Node ${major}`, async () => {
      const system = await startShop();
      try {
        const app = await system.start({ node: nodeBinary(major) });
        await system.beat("it follows", (beat) => beat.pid === app.pid && beat.state === "following");
        const slow = ask(app, "/slow");
        await ask(app);
        system.write({ "src/data/rates.json": rates(10), "src/data/limits.json": limits(30) });
        const swap = await system.publish();
        assert.deepEqual([swap.rung, swap.verdicts.map(({ unit }) => unit)], ["redefine", ["src/data/limits.json", "src/data/rates.json"]]);
        await system.swapped(swap);
        const { first } = await ask(app);
        assert.deepEqual([first.tax, first.reduced, first.limited], [[10, "10 %"], [5, 2.5], 30]);
        assert.ok(first.served > 2, "it is the same process");
        const old = await slow;
        assert.deepEqual([old.last.tax, old.last.reduced, old.last.limited], [[20, "20 %"], [10, 5], 10], "a request ends on the value that it began with");

        // A restart comes up on the new value, from a directory that holds the old one.
        await app.kill();
        const again = await system.start({ node: nodeBinary(major), release: swap.before! });
        const { first: restarted } = await ask(again);
        assert.deepEqual([restarted.tax, restarted.reduced, restarted.limited], [[10, "10 %"], [5, 2.5], 30]);
        await system.beat("it follows", (beat) => beat.pid === again.pid && beat.state === "following");

        await system.swapped(await system.rollback());
        const { first: back } = await ask(again);
        assert.deepEqual([back.tax, back.reduced, back.limited], [[20, "20 %"], [10, 5], 10]);
        assert.deepEqual([...app.stderr.lines, ...again.stderr.lines], []);
        await again.kill();
      } finally {
        await system.close();
      }
    });
  }

  const refusals: readonly { readonly what: string; readonly more: Readonly<Record<string, string>>; readonly reason: RegExp }[] = [
    { what: "somebody changes its value", more: { "src/tax.js": `${files["src/tax.js"]}export function raise() {\n  table.normal += 1;\n}\n` }, reason: /src\/tax\.js changes it/ },
    { what: "it was read when the process started", more: { "src/tax.js": `${files["src/tax.js"]}export const start = process.hrtime.bigint() + BigInt(table.normal);\n` }, reason: /src\/tax\.js.*(?:start was computed from a value that changed|table is read by code that ran)/ },
    { what: "it is loaded by a computed name, too", more: { "src/tax.js": `${files["src/tax.js"]}export const load = (name) => import(\`./data/\${name}.json\`, { with: { type: "json" } });\n` }, reason: /computed/ },
    { what: "it may be read as a file, too", more: { "src/tax.js": `import { readFileSync } from "node:fs";\n${files["src/tax.js"]}export const load = (name) => readFileSync(name, "utf8");\n` }, reason: /src\/tax\.js reads files whose names are computed/ },
    { what: "it is read as a file, too", more: { "src/tax.js": `import { readFileSync } from "node:fs";\n${files["src/tax.js"]}export const load = () => readFileSync(new URL("./data/rates.json", import.meta.url), "utf8");\n` }, reason: /src\/tax\.js speaks of it beside importing it/ },
    { what: "it is imported as a whole module", more: { "src/tax.js": files["src/tax.js"].replace("import table", "import * as table").replace("} = table;", "} = table.default;") }, reason: /src\/tax\.js reads it otherwise/ },
    { what: "it is required inside a function", more: { "src/limited.cjs": '"use strict";\nexports.cap = (n) => Math.min(n, require("./data/rates.json").normal);\n' }, reason: /src\/limited\.cjs reads it otherwise/ },
  ];
  for (const { what, more, reason } of refusals) {
    test(`needs a new process if ${what}, and the verdict says who`, async () => {
      const system = await startShop(more);
      try {
        system.write({ "src/data/rates.json": rates(10) });
        const { rung, verdicts } = await system.publisher.plan(await system.collect());
        assert.equal(rung, "replace", JSON.stringify(verdicts));
        assert.match(verdicts.map((verdict) => [verdict.unit, verdict.reason, ...verdict.evidence].join(" ")).join("\n"), reason);
      } finally {
        await system.close();
      }
    });
  }
});
