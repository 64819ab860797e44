import { describe } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { testFrameworks } from "./frameworks.ts";

describe("a request ends on the version that it began with, in Node's own servers and Express", () => {
  guardAgainstLeaks();
  testFrameworks(["http.mjs", "express5.mjs", "express4.cjs", "http2.mjs"]);
});
