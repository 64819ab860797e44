import { describe } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { testFrameworks } from "./frameworks.ts";

describe("a request ends on the version that it began with, in Fastify, Koa, Hono, and in run()", () => {
  guardAgainstLeaks();
  testFrameworks(["fastify.mjs", "koa.mjs", "hono.mjs", "ws.mjs"]);
});
