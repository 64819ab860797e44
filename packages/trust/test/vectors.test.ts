import { test } from "node:test";
import { checks } from "./fixtures/vector-checks.mjs";

for (const { name, run } of checks) test(name, run);
