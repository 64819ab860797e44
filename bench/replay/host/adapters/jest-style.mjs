import { createRequire } from "node:module";
import path from "node:path";
import * as nodeTest from "node:test";
import { collect } from "./node-test.mjs";

/** Runs files whose `describe`, `it` and `expect` are globals, by `node:test`; `expect` is the repository's own. */
export async function run({ directory, files, whenIdle }) {
  const require = createRequire(path.join(directory, "package.json"));
  const globals = { ...suites(), ...expectOf(require) };
  const before = Object.fromEntries(Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  Object.assign(globalThis, globals);
  try {
    return await collect(nodeTest.run({ files: files.map((file) => path.join(directory, file)), isolation: "none", cwd: directory }), directory, whenIdle);
  } finally {
    for (const [name, was] of Object.entries(before)) {
      if (was === undefined) delete globalThis[name];
      else Object.defineProperty(globalThis, name, was);
    }
  }
}

function suites() {
  const test = withMarks(nodeTest.it);
  const describe = withMarks(nodeTest.describe);
  const hook = (add) => (fn) => add(adapt(fn));
  return {
    describe, suite: describe, it: test, test,
    before: hook(nodeTest.before), beforeAll: hook(nodeTest.before), after: hook(nodeTest.after), afterAll: hook(nodeTest.after),
    beforeEach: hook(nodeTest.beforeEach), afterEach: hook(nodeTest.afterEach),
  };
}

function withMarks(add) {
  const own = (title, fn) => add(title, adapt(fn));
  own.skip = (title) => add(title, { skip: true }, () => undefined);
  own.only = own;
  own.todo = own.skip;
  return own;
}

/** `done` is the first parameter there and the second here. */
function adapt(fn) {
  return fn?.length === 1 ? (_context, done) => fn(done) : () => fn();
}

function expectOf(require) {
  for (const name of ["expect", "jest"]) {
    try {
      const found = name === "expect" ? require("expect") : createRequire(require.resolve("jest"))("expect");
      return { expect: found.expect ?? found.default ?? found };
    } catch {
      // Not every repository has it.
    }
  }
  return {};
}
