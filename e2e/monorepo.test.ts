import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { type AppProcess, guardAgainstLeaks, startSystem, type System } from "@midflight/testkit";
import { nodeBinary } from "../scripts/node-versions.mjs";

const manifest = (name: string, more: object = {}): string => JSON.stringify({ name, type: "module", ...more });
const rates = (rate: number): string => `export const RATE = ${rate};\nexport function price(n) {\n  return n * RATE;\n}\nexport const where = import.meta.url;\n`;
const format = (mark: string): string => `const outside = require("outside");\nexports.format = (n) => outside.mark + "${mark}" + n;\nexports.where = __filename;\n`;
const tools = (word: string): string => `"use strict";\nlet calls = 0;\nexports.say = function say(n) {\n  calls += 1;\n  return "${word} " + n + " " + calls;\n};\n`;

const files = {
  "package.json": JSON.stringify({ name: "shop", private: true, workspaces: ["packages/*"] }),
  "packages/web/package.json": manifest("@shop/web", { imports: { "#texts": "./src/texts.js" } }),
  "packages/web/src/server.js":
    'import { createServer } from "node:http";\nimport { price, RATE, where } from "@shop/price";\nimport { say } from "@shop/tools/say.cjs";\nimport formatting from "chosen";\nimport { hello } from "#texts";\n' +
    "function answer() {\n  return { price: price(10), rate: RATE, said: say(1), formatted: formatting.format(7), hello: hello(), where, formattedWhere: formatting.where };\n}\n" +
    "const server = createServer((request, response) => response.end(JSON.stringify(answer())));\nserver.listen(0, \"127.0.0.1\", () => console.log(`port ${server.address().port}`));\n",
  "packages/web/src/texts.js": 'export const hello = () => "hello";\n',
  "packages/price/package.json": manifest("@shop/price", { exports: "./src/index.js" }),
  "packages/price/src/index.js": rates(2),
  "packages/tools/package.json": JSON.stringify({ name: "@shop/tools" }),
  "packages/tools/say.cjs": tools("said"),
  "node_modules/chosen/package.json": JSON.stringify({ name: "chosen", version: "1.0.0", main: "lib/index.js" }),
  "node_modules/chosen/lib/index.js": format("#"),
  "node_modules/outside/package.json": JSON.stringify({ name: "outside", version: "1.0.0" }),
  "node_modules/outside/index.js": 'exports.mark = "outside";\n',
};

interface Answer {
  readonly price: number;
  readonly rate: number;
  readonly said: string;
  readonly formatted: string;
  readonly hello: string;
  readonly where: string;
  readonly formattedWhere: string;
}

const ask = async ({ url }: AppProcess): Promise<Answer> => (await (await fetch(url, { headers: { connection: "close" } })).json()) as Answer;

async function startMonorepo(): Promise<System> {
  const system = await startSystem({ app: "shop", files, code: ["packages", "node_modules/chosen/**"], run: "node packages/web/src/server.js", ready: /^port (\d+)$/ });
  // As npm, Yarn and pnpm link the packages of a workspace.
  mkdirSync(path.join(system.projectDir, "node_modules/@shop"));
  for (const name of ["price", "tools"]) symlinkSync(`../../packages/${name}`, path.join(system.projectDir, "node_modules/@shop", name));
  return system;
}

describe("several packages in one app", () => {
  guardAgainstLeaks();

  for (const major of [20, 24]) {
    test(`packages that import each other by name, and a chosen one of node_modules, are swapped like own code on Node ${major}`, async () => {
      const system = await startMonorepo();
      try {
        const first = await system.publish();
        const app = await system.start({ node: nodeBinary(major), link: system.projectDir });
        await system.beat("it follows", (beat) => beat.pid === app.pid && beat.state === "following");
        const before = await ask(app);
        assert.deepEqual([before.price, before.rate, before.said, before.formatted, before.hello], [20, 2, "said 1 1", "outside#7", "hello"]);
        const release = await system.materialise(first.release);
        for (const where of [new URL(before.where).pathname, before.formattedWhere]) assert.ok(where.startsWith(release), `${where} is the release's`);

        system.write({ "packages/price/src/index.js": rates(3), "packages/tools/say.cjs": tools("told"), "node_modules/chosen/lib/index.js": format("="), "packages/web/src/texts.js": 'export const hello = () => "hi";\n' });
        const swap = await system.publish();
        assert.equal(swap.rung, "redefine", JSON.stringify(swap.verdicts));
        await system.swapped(swap);
        const after = await ask(app);
        assert.deepEqual([after.price, after.rate, after.said, after.formatted, after.hello], [30, 3, "told 1 2", "outside=7", "hi"], "new code, old state");

        await system.swapped(await system.rollback());
        const back = await ask(app);
        assert.deepEqual([back.price, back.rate, back.said, back.formatted, back.hello], [20, 2, "said 1 3", "outside#7", "hello"]);
        assert.deepEqual(app.stderr.lines, []);
        await app.kill();
      } finally {
        await system.close();
      }
    });
  }

  test("a package that is not chosen needs a new process once it is another version", async () => {
    const system = await startMonorepo();
    const record = (version: string): Record<string, string> => ({ "node_modules/.package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: { "node_modules/outside": { version } } }) });
    try {
      system.write(record("1.0.0"));
      await system.publish();
      system.write(record("1.1.0"));
      const { rung, verdicts } = await system.publisher.plan(await system.collect());
      assert.deepEqual([rung, verdicts.map(({ unit, reason }) => `${unit}: ${reason}`)], ["replace", ["dependencies: installed packages differ: outside 1.0.0 → 1.1.0"]]);
    } finally {
      await system.close();
    }
  });
});
