import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { analyzeUnit, planTransition, type AppShape, type Plan } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";

const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
type Files = Readonly<Record<string, string>>;

function shapeOf(files: Files): AppShape {
  return { units: new Map(Object.entries(files).map(([file, text]) => [file, analyzeUnit(file, text, file.endsWith(".cjs") ? "cjs" : "esm", hash)])), assets: new Map(), lock: null };
}

function planEdit(files: Files, file: string, find: string, replace: string): Plan {
  assert.equal(files[file]?.split(find).length, 2, `${file} holds ${find} once`);
  return planTransition({ boot: shapeOf(files), target: shapeOf({ ...files, [file]: files[file].replace(find, () => replace) }), hash });
}

const express: Files = {
  "server.js": 'import express from "express";\nimport { users } from "./users.js";\nimport { logRequests, onError } from "./middleware.js";\nconst app = express();\napp.use(express.json());\napp.use(logRequests);\napp.use("/users", users);\napp.get("/", home);\napp.use(onError);\nfunction home(req, res) {\n  res.send("hello");\n}\nconst server = app.listen(process.env.PORT ?? 3000, () => console.log("open"));\nprocess.on("SIGTERM", () => server.close());\n',
  "middleware.js": 'export function logRequests(req, res, next) {\n  res.on("finish", () => console.log(req.url, res.statusCode));\n  next();\n}\nexport const onError = (err, req, res, next) => {\n  res.status(500).json({ error: err.message });\n};\n',
  "users.js": 'import { Router } from "express";\nimport { UserService } from "./service.js";\nexport const users = Router();\nconst service = new UserService();\nusers.get("/", async (req, res) => res.json(await service.list()));\nusers.get("/:id", async (req, res, next) => {\n  try {\n    const user = await service.get(req.params.id);\n    if (!user) return res.sendStatus(404);\n    res.json(present(user));\n  } catch (error) {\n    next(error);\n  }\n});\nfunction present(user) {\n  return { name: user.name };\n}\n',
  "service.js": "export class UserService {\n  #all = new Map([[\"1\", { name: \"Ada\" }]]);\n  async list() {\n    return [...this.#all.values()];\n  }\n  async get(id) {\n    return this.#all.get(id);\n  }\n}\n",
};

const http: Files = {
  "server.js": 'import { createServer } from "node:http";\nimport { readBody } from "./body.js";\nimport { handlers } from "./handlers.js";\nconst server = createServer(async (request, response) => {\n  try {\n    const body = await readBody(request);\n    const handler = handlers[request.url] ?? handlers.missing;\n    response.end(JSON.stringify(handler(body)));\n  } catch (error) {\n    response.statusCode = 500;\n    response.end(String(error));\n  }\n});\nserver.listen(3000);\n',
  "body.js": 'const MAX = 1000;\nexport const readBody = (request) => new Promise((resolve, reject) => {\n  const parts = [];\n  let size = 0;\n  request.on("data", (part) => {\n    size += part.length;\n    if (size > MAX) reject(new Error("too large"));\n    parts.push(part);\n  });\n  request.on("end", () => resolve(Buffer.concat(parts).toString()));\n  request.on("error", reject);\n});\n',
  "handlers.js": 'export const handlers = {\n  "/sum": (body) => sum(JSON.parse(body)),\n  missing: () => ({ error: "missing" }),\n};\nfunction sum(numbers) {\n  return numbers.reduce((all, one) => all + one, 0);\n}\n',
};

const commonJs: Files = {
  "app.cjs": '"use strict";\nconst fastify = require("fastify");\nconst { prices } = require("./prices.cjs");\nconst app = fastify({ logger: true });\napp.register(require("./routes.cjs"), { prefix: "/api" });\napp.addHook("onRequest", async (request) => {\n  request.startedAt = Date.now();\n});\napp.listen({ port: 3000 });\n',
  "routes.cjs": '"use strict";\nconst { prices } = require("./prices.cjs");\nmodule.exports = async function routes(app) {\n  let served = 0;\n  app.get("/price", async (request) => {\n    served += 1;\n    return prices.of(request.query.sku);\n  });\n};\n',
  "prices.cjs": '"use strict";\nclass Prices {\n  of(sku) {\n    return sku.length * 2;\n  }\n}\nexports.prices = new Prices();\n',
};

describe("edits that people make in the commonest shapes of services", () => {
  const live: readonly (readonly [what: string, files: Files, file: string, find: string, replace: string])[] = [
    ["a named handler of Express", express, "server.js", '"hello"', '"hello there"'],
    ["a handler of a router", express, "users.js", "sendStatus(404)", "status(404).end()"],
    ["a function that a handler calls", express, "users.js", "name: user.name", "name: user.name.toUpperCase()"],
    ["a method called get of an instance made at the start", express, "service.js", "return this.#all.get(id);", "return this.#all.get(String(id));"],
    ["a middleware", express, "middleware.js", "next();\n}", "req.seen = true;\n  next();\n}"],
    ["a listener inside a middleware", express, "middleware.js", "console.log(req.url, res.statusCode)", "console.log(req.method, req.url)"],
    ["an error handler that is an arrow", express, "middleware.js", "status(500)", "status(503)"],
    ["a listener in a promise's executor", http, "body.js", "parts.push(part);", "parts.push(Buffer.from(part));"],
    ["what an executor does itself", http, "body.js", "let size = 0;", "let size = 1;"],
    ["a limit that only closures read", http, "body.js", "MAX = 1000", "MAX = 2000"],
    ["the callback of a server", http, "server.js", "statusCode = 500", "statusCode = 503"],
    ["a function in a table of handlers", http, "handlers.js", 'error: "missing"', 'error: "no such page"'],
    ["a function behind a table of handlers", http, "handlers.js", "all + one, 0", "all + Number(one), 0"],
    ["a method behind require", commonJs, "prices.cjs", "length * 2", "length * 3"],
    ["a handler in a plug-in behind require", commonJs, "routes.cjs", "served += 1", "served += 2"],
    ["a hook", commonJs, "app.cjs", "Date.now()", "performance.now()"],
  ];
  for (const [what, files, file, find, replace] of live) {
    test(`${what} goes live`, () => {
      const plan = planEdit(files, file, find, replace);
      assert.notEqual(plan.rung, "replace", JSON.stringify(plan.verdicts));
      assert.ok(plan.units.some(({ unit }) => unit === file));
    });
  }

  const replaced: readonly (readonly [what: string, files: Files, file: string, find: string, replace: string, reason: RegExp])[] = [
    ["the text of a plug-in around its handlers", commonJs, "routes.cjs", "served = 0", "served = 5", /closures|may have run/],
    ["what a server listens on", http, "server.js", "listen(3000)", "listen(4000)", /top level/],
    ["a field of a class", express, "service.js", '"Ada"', '"Grace"', /live instances/],
  ];
  for (const [what, files, file, find, replace, reason] of replaced) {
    test(`${what} needs a new process`, () => {
      const plan = planEdit(files, file, find, replace);
      assert.equal(plan.rung, "replace");
      assert.match(plan.verdicts[0]?.reason ?? "", reason);
    });
  }
});
