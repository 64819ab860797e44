import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { analyzeUnit, planTransition, type AppShape } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";

const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
type Files = Readonly<Record<string, string>>;

const express: Files = {
  "server.js": 'import express from "express";\nimport { admin } from "./admin.cjs";\nconst app = express();\napp.use(express.json());\napp.get("/users", (request, response) => {\n  response.json([]);\n});\napp.get("/health", async (request, response) => response.send("ok"));\napp.use("/admin", admin(new Map()));\napp.listen(3000);\n',
  "admin.cjs": '"use strict";\nconst express = require("express");\nexports.admin = function admin(store) {\n  const router = express.Router();\n  router.get("/size", (request, response) => {\n    response.json(store.size);\n  });\n  return router;\n};\n',
};
const koa: Files = {
  "server.js": 'import Koa from "koa";\nimport Router from "@koa/router";\nconst app = new Koa();\nconst router = new Router({ prefix: "/api" });\napp.use(async (context, next) => {\n  await next();\n  context.set("x-by", "shop");\n});\nrouter.get("/a", async (context) => {\n  context.body = "a";\n});\nrouter.get("/b", (context) => {\n  context.body = "b";\n});\napp.use(router.routes());\napp.listen(3000);\n',
};
const hono: Files = {
  "server.js": 'import { serve } from "@hono/node-server";\nimport { Hono } from "hono";\nconst app = new Hono();\napp.use("*", async (context, next) => {\n  context.header("x-by", "shop");\n  await next();\n});\napp.get("/a", (context) => context.text("a"));\napp.get("/b", (context) => context.text("b"));\nserve({ fetch: app.fetch, port: 3000 });\n',
};
const fastify: Files = {
  "server.js": 'import { fastify } from "fastify";\nimport { users } from "./users.js";\nconst app = fastify();\napp.get("/health", async () => "ok");\nawait app.register(users, { prefix: "/users" });\nawait app.listen({ port: 3000 });\n',
  "users.js": 'export async function users(app) {\n  app.decorate("clock", () => Date.now());\n  app.addHook("onRequest", async (request) => {\n    request.at = app.clock();\n  });\n  app.get("/", async (request) => ({ at: request.at }));\n  app.setErrorHandler((error, request, reply) => {\n    reply.code(500).send(error.message);\n  });\n}\n',
};
const events: Files = {
  "server.js": 'import { EventEmitter } from "node:events";\nexport const bus = new EventEmitter();\nlet sold = 0;\nbus.on("sale", (n) => {\n  sold += n;\n});\nsetInterval(() => {\n  bus.emit("sale", 1);\n}, 1000);\nexport const total = () => sold;\n',
};

interface Edit {
  readonly what: string;
  readonly app: Files;
  readonly file?: string;
  readonly find: string;
  readonly replace: string;
  readonly rung: "patch" | "replace";
  /** Of the edited file's verdict. */
  readonly reason: RegExp;
}

const edits: readonly Edit[] = [
  { what: "Express: a route added", app: express, find: "app.listen", replace: 'app.get("/new", (request, response) => response.send("new"));\napp.listen', rung: "replace", reason: /^app\.get\("\/new", …\) is new at the top level \(server\.js:10\)/ },
  { what: "Express: a route removed", app: express, find: 'app.get("/health", async (request, response) => response.send("ok"));\n', replace: "", rung: "replace", reason: /^app\.get\("\/health", …\) is gone from the top level \(it was server\.js:8\)/ },
  { what: "Express: another path", app: express, find: '"/health"', replace: '"/ready"', rung: "replace", reason: /^app\.get\("\/health", …\) became app\.get\("\/ready", …\) at the top level \(server\.js:8\)/ },
  { what: "Express: another order", app: { "server.js": 'import express from "express";\nconst app = express();\napp.use(express.json());\napp.get("/a", (request, response) => response.send("a"));\napp.listen(3000);\n' }, find: 'app.use(express.json());\napp.get("/a", (request, response) => response.send("a"));\n', replace: 'app.get("/a", (request, response) => response.send("a"));\napp.use(express.json());\n', rung: "replace", reason: /^app\.get\("\/a", …\) now runs before app\.use\(express\.json\(\)\) at the top level \(server\.js:3\)/ },
  { what: "Express: middleware instead of none", app: express, find: "app.use(express.json());", replace: 'app.use(express.json());\napp.use(express.static("public"));', rung: "replace", reason: /^app\.use\(express\.static\("public"\)\) is new/ },
  { what: "Express: a handler", app: express, find: 'send("ok")', replace: 'send("fine")', rung: "patch", reason: /closure get\("\/health"\): only the body changed/ },
  { what: "Express: a handler in a router that a factory made", app: express, file: "admin.cjs", find: "json(store.size)", replace: "json({ size: store.size })", rung: "patch", reason: /only the body changed/ },
  { what: "Express: a route added in a factory that ran", app: express, file: "admin.cjs", find: "  return router", replace: '  router.get("/all", (request, response) => response.json([...store]));\n  return router', rung: "replace", reason: /admin\(\): the text around its closures changed \(line 8: router\.get\("\/all", …\) is new\)/ },
  { what: "Koa: a route added", app: koa, find: "app.use(router", replace: 'router.get("/c", (context) => {\n  context.body = "c";\n});\napp.use(router', rung: "replace", reason: /^router\.get\("\/c", …\) is new at the top level \(server\.js:15\)/ },
  { what: "Koa: a route removed", app: koa, find: 'router.get("/b", (context) => {\n  context.body = "b";\n});\n', replace: "", rung: "replace", reason: /^router\.get\("\/b", …\) is gone/ },
  { what: "Koa: a handler and a middleware's end", app: koa, find: '"b";', replace: '"bb";', rung: "patch", reason: /closure get\("\/b"\): only the body changed/ },
  { what: "Hono: a route added", app: hono, find: "serve({", replace: 'app.post("/c", (context) => context.text("c"));\nserve({', rung: "replace", reason: /^app\.post\("\/c", …\) is new at the top level \(server\.js:10\)/ },
  { what: "Hono: two routes in another order", app: hono, find: 'app.get("/a", (context) => context.text("a"));\napp.get("/b", (context) => context.text("b"));\n', replace: 'app.get("/b", (context) => context.text("b"));\napp.get("/a", (context) => context.text("a"));\n', rung: "replace", reason: /^app\.get\("\/b", …\) now runs before app\.get\("\/a", …\)/ },
  { what: "Hono: a handler", app: hono, find: 'text("b")', replace: 'text("bb")', rung: "patch", reason: /only the body changed/ },
  { what: "Fastify: a route added", app: fastify, find: "await app.listen", replace: 'app.get("/new", async () => "new");\nawait app.listen', rung: "replace", reason: /^app\.get\("\/new", …\) is new at the top level \(server\.js:6\)/ },
  { what: "Fastify: a plugin added", app: fastify, find: "await app.listen", replace: 'await app.register(users, { prefix: "/people" });\nawait app.listen', rung: "replace", reason: /^await app\.register\(users, \{ prefix: "\/people" \}\) is new at the top level/ },
  { what: "Fastify: a route added in a plugin", app: fastify, file: "users.js", find: "  app.setErrorHandler", replace: '  app.get("/new", async () => "new");\n  app.setErrorHandler', rung: "replace", reason: /users\(\): the text around its closures changed \(line 7: app\.get\("\/new", …\) is new\)/ },
  { what: "Fastify: a plugin's handler", app: fastify, file: "users.js", find: "at: request.at", replace: "since: request.at", rung: "patch", reason: /only the body changed/ },
  { what: "Fastify: a plugin's hook", app: fastify, file: "users.js", find: "request.at = app.clock()", replace: "request.at = app.clock() + 1", rung: "patch", reason: /addHook\("onRequest"\): only the body changed/ },
  { what: "Fastify: a decorator's body", app: fastify, file: "users.js", find: "Date.now()", replace: "Date.now() / 1000", rung: "patch", reason: /decorate\("clock"\): only the body changed/ },
  { what: "Fastify: an error handler's body", app: fastify, file: "users.js", find: "send(error.message)", replace: 'send("sorry")', rung: "patch", reason: /setErrorHandler: only the body changed/ },
  { what: "Fastify: another decorator", app: fastify, file: "users.js", find: '  app.decorate("clock"', replace: '  app.decorateRequest("at", 0);\n  app.decorate("clock"', rung: "replace", reason: /\(line 2: app\.decorateRequest\("at", 0\) is new\)/ },
  { what: "an event's listener", app: events, find: "sold += n", replace: "sold += n * 2", rung: "patch", reason: /closure on\("sale"\): only the body changed/ },
  { what: "a timer's callback", app: events, find: 'emit("sale", 1)', replace: 'emit("sale", 2)', rung: "patch", reason: /closure setInterval: only the body changed/ },
  { what: "another listener", app: events, find: "setInterval", replace: 'bus.once("close", () => undefined);\nsetInterval', rung: "replace", reason: /^bus\.once\("close", …\) is new at the top level \(server\.js:7\)/ },
  { what: "an entry far to the right", app: { "server.js": 'import { log } from "node:console";\nlog({ port: Number(process.env.PORT ?? 3456), host: "127.0.0.1", pageSize: 10 });\n' }, find: "10 }", replace: "2 }", rung: "replace", reason: /^log\(\{ port: Number\(.*pageSize: 10 \}\) became .*pageSize: 2 \}\) at the top level/ },
  { what: "a timer's interval", app: events, find: "1000", replace: "2000", rung: "replace", reason: /^setInterval\(…, 1000\) became setInterval\(…, 2000\) at the top level \(server\.js:7\)/ },
];

describe("what was registered when the process started", () => {
  for (const { what, app, file = "server.js", find, replace, rung, reason } of edits) {
    test(`${what}: ${rung}`, () => {
      assert.equal(app[file]?.split(find).length, 2, `${file} holds ${find} once`);
      const plan = planTransition({ boot: shapeOf(app), target: shapeOf({ ...app, [file]: app[file].replace(find, () => replace) }), hash });
      assert.equal(plan.rung, rung, JSON.stringify(plan.verdicts));
      assert.match(plan.verdicts.find(({ unit }) => unit === file)!.reason, reason);
    });
  }
});

function shapeOf(files: Files): AppShape {
  return { units: new Map(Object.entries(files).map(([file, text]) => [file, analyzeUnit(file, text, file.endsWith(".cjs") ? "cjs" : "esm", hash)])), assets: new Map(), lock: null };
}
