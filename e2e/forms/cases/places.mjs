// Where a stack trace says that swapped code stands: at the line of the new text, in the file that it is of.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();

/** `file:line` of the innermost frame in one of the app's units; what names the text is left out. */
function place(error) {
  const frame = error.stack.split("\n").find((line) => /\bm\.[mc]js/.test(line)) ?? "";
  const found = /\b(m\.[mc]js)[^:)]*:(\d+):\d+\)?$/.exec(frame);
  return found === null ? frame : `${found[1]}:${found[2]}`;
}
const thrown = (run) => {
  try {
    run();
  } catch (error) {
    return place(error);
  }
};

const body = (before, after) => (text) => [text.replace("HERE", before), text.replace("HERE", after)];
const change = body("throw new Error('a')", "\n\n\n  throw new Error('b')");
const both = (text) => change(text);
const places = (name, text, probe) => add(`the line of a frame: ${name}`, ...both(text), probe);

places("a function", "// first\nexport const k = 1;\n\nexport function f(a, b) {\n  'use strict';\n  HERE\n}\nexport const z = 2;", (m) => thrown(() => m.f()));
places("a function on the first line", "export function f(){HERE}", (m) => thrown(() => m.f()));
places("after a hashbang", "#!/usr/bin/env node\nexport function f(){HERE}", (m) => thrown(() => m.f()));
places("an arrow", "\n\nexport const f =\n (a,\n  b) => {\n HERE\n};", (m) => thrown(() => m.f()));
places("defaults over several lines", "export function f({\n a = 1,\n b = 2 } = {},\n c = a) {\n HERE }", (m) => thrown(() => m.f()));
places("methods, static and private", "export class C {\n #p() {\n HERE }\n static s() { return new C().m(); }\n m() {\n return this.#p(); }\n}", (m) => [thrown(() => new m.C().m()), thrown(() => m.C.s())]);
places("a closure that was made before", "export function make(k) {\n  return (n) => {\n HERE };\n}\nexport const f = make(1);", (m) => thrown(() => m.f()));
places("a table of functions", "export const table = {\n a: 1,\n go() {\n HERE },\n};", (m) => thrown(() => m.table.go()));
places("CRLF", "export const k = 1;\r\n\r\nexport function f() {\r\n HERE\r\n}", (m) => thrown(() => m.f()));
add("the line of a frame: CommonJS", { "m.cjs": "'use strict';\n\nexports.f = function f() {\n throw new Error('a');\n};" }, { "m.cjs": "'use strict';\n\n\nexports.f = function f() {\n\n\n throw new Error('b');\n};" }, (m) => thrown(() => m.f()));
add("the line of a frame: an added function, constant and class", "export const k = 1;\nexport function f() {\n  throw new Error('a');\n}", "export const k = 1;\n\nconst limit = {\n  get of() {\n    throw new Error('c'); } };\nclass D {\n  m() {\n\n    throw new Error('d'); }\n}\nfunction g(n) {\n  if (n === 0) throw new Error('g');\n  return n === 1 ? limit.of : new D().m(); }\nexport function f(n) {\n  return g(n);\n}", (m) => [0, 1, 2].map((n) => thrown(() => m.f(n))));
add("the line of a frame: code that only moved", "export function f() {\n  return 1;\n}\nexport function g() {\n  return f.name.missing.more;\n}", "export function f() {\n\n\n  return 2;\n}\nexport function g() {\n  return f.name.missing.more;\n}", (m) => typeof thrown(() => m.g()));
