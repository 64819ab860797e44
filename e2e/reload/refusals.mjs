// What stays a replace although hooks are declared, and the sentence that says why.
import { boot } from "./live.mjs";
import { promises } from "./promises.mjs";

const hooks = "import.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();\n";
/** @param rejected what the verdict says of reload */
const refusal = (name, a, b, reason, rejected = null) => promises.push({
  name: `replaced: ${name}`, want: ["replace", true, true],
  async act(directory) {
    const files = typeof a === "string" ? { "m.mjs": a } : a;
    const live = await boot(directory, files);
    const { rung, verdicts } = live.plan(typeof b === "string" ? { "m.mjs": b } : b);
    const verdict = verdicts.find((one) => one.rung === "replace");
    const because = verdict?.rejected.find((one) => one.rung === "reload")?.because ?? "";
    const said = `${verdict?.reason} / ${because}`;
    // Whoever declared hooks wants to know what they lack.
    const isTold = name === "no hooks" || because === verdict.reason || verdict.evidence[0] === `no reload: ${because}`;
    return [rung, said.includes(reason) || said, rejected === null || (because.includes(rejected) && isTold) || `${because} / ${verdict.evidence[0]}`];
  },
});

const timer = (ms, more = "") => `const timer = setInterval(() => {}, ${ms}); export const f = () => timer; ${more}`;
const still = (a) => a.replace("setInterval(() => {}, ", "setTimeout(() => {}, ").replaceAll("99000", "1").replaceAll("77000", "2");
refusal("no hooks", still(timer(99000)), still(timer(77000)), "that ran when the process started", "import.meta.hot.accept() and import.meta.hot.dispose() let its top level run again");
refusal("hooks in the new text only", still(timer(99000)), still(timer(77000, `\n${hooks}`)), "", "only one of the two texts declares hooks");
refusal("accept without dispose", still(timer(99000, "\nimport.meta.hot?.accept();")), still(timer(77000, "\nimport.meta.hot?.accept();")), "", "declares no dispose()");
refusal("dispose without accept", still(timer(99000, "\nimport.meta.hot?.dispose(() => {});")), still(timer(77000, "\nimport.meta.hot?.dispose(() => {});")), "", "does not accept() itself");
refusal("two disposes", still(timer(99000, `\nimport.meta.hot?.dispose(() => {});\n${hooks}`)), still(timer(77000, `\nimport.meta.hot?.dispose(() => {});\n${hooks}`)), "", "more than once");
refusal("an async dispose", still(timer(99000, `\n${hooks.replace("() =>", "async () =>")}`)), still(timer(77000, `\n${hooks.replace("() =>", "async () =>")}`)), "", "async function");
refusal("an accept that waits for a new module", still(timer(99000, `\n${hooks.replace("accept()", "accept((next) => next)")}`)), still(timer(77000, `\n${hooks.replace("accept()", "accept((next) => next)")}`)), "", "the module stays");
refusal("a module that declines", still(timer(99000, `\n${hooks}import.meta.hot?.decline();`)), still(timer(77000, `\n${hooks}import.meta.hot?.decline();`)), "", "it declines to be reloaded");
refusal("an accept of a dependency", still(timer(99000, `\n${hooks.replace("accept()", "accept('./dep.mjs', () => {})")}`)), still(timer(77000, `\n${hooks.replace("accept()", "accept('./dep.mjs', () => {})")}`)), "", "each module speaks for itself");
refusal("a top level that waits", `const x = await 1; export const f = () => x;\n${hooks}`, `const x = await 2; export const f = () => x;\n${hooks}`, "", "it waits at the top level");
refusal("state that dispose does not mention", `let n = 0; export const up = () => ++n; globalThis.a = 1;\n${hooks}`, `let n = 0; export const up = () => ++n; globalThis.a = 2;\n${hooks}`, "", "does not mention n, and what that holds would be lost");
refusal("a table that dispose does not mention", `const seen = new Map(); export const put = (k) => { seen.set(k, 1); }; globalThis.a = 1;\n${hooks}`, `const seen = new Map(); export const put = (k) => { seen.set(k, 1); }; globalThis.a = 2;\n${hooks}`, "", "does not mention seen");
refusal("an object with listeners that dispose does not mention", `import { EventEmitter } from "node:events"; const bus = new EventEmitter(); export const on = (f) => bus.on("x", f); globalThis.a = 1;\n${hooks}`, `import { EventEmitter } from "node:events"; const bus = new EventEmitter(); export const on = (f) => bus.on("x", f); globalThis.a = 2;\n${hooks}`, "", "does not mention bus, and what that holds would be lost");
refusal("a module below one whose dispose forgets what it made of it", { "m.mjs": `import { make } from "./lib.mjs"; const made = make(); export const f = () => made;\n${hooks}`, "lib.mjs": "export function make() { return { n: 1 }; }" }, { "lib.mjs": "export function make() { return { n: 2 }; }" }, "it may have run when the process started", "m.mjs, which imports it, declares hooks, but its dispose() does not mention made");
refusal("a class with another field", `export class C { a = 1; }\n${hooks}`, `export class C { a = 1; b = 2; }\n${hooks}`, "class C: fields", "class C: fields");
refusal("a class that took a value while it was made", `let limit = globalThis.Number(1); export class C { static most = limit; }\n${hooks}`, `let limit = globalThis.Number(2); export class C { static most = limit; }\n${hooks}`, "", "class C read limit when it was made");
refusal("a class that does something when it is made", `globalThis.mark = 1; export class C { static { globalThis.made = C; } }\n${hooks}`, `globalThis.mark = 2; export class C { static { globalThis.made = C; } }\n${hooks}`, "", "class C does something when it is made, and a class is not made anew");
refusal("a default export by value", `let limit = globalThis.Number(1); export default limit;\n${hooks}`, `let limit = globalThis.Number(2); export default limit;\n${hooks}`, "", "it exports limit by value");
refusal("an importer that took a copy", { "m.mjs": 'import { value } from "./dep.mjs"; const copy = value; export const f = () => copy;', "dep.mjs": `export let value = globalThis.Number(1);\n${hooks}` }, { "dep.mjs": `export let value = globalThis.Number(2);\n${hooks}` }, "", "m.mjs stands in the way: value of dep.mjs is read by code that ran when the process started");
refusal("a function that others ran at the start", { "m.mjs": 'import { get } from "./dep.mjs"; const copy = get(); export const f = () => copy;', "dep.mjs": `let value = globalThis.Number(1); export const get = () => value;\n${hooks}` }, { "dep.mjs": `let value = globalThis.Number(2); export const get = () => value;\n${hooks}` }, "", "get() reads value, which is made anew, and may have run when the process started (called from top level of m.mjs)");
refusal("a module loaded with a query", { "m.mjs": 'import { f } from "./dep.mjs?own"; export const g = () => f();', "dep.mjs": `let value = globalThis.Number(1); export const f = () => value;\n${hooks}` }, { "dep.mjs": `let value = globalThis.Number(2); export const f = () => value;\n${hooks}` }, "", "m.mjs loads a copy of its own of it");
refusal("a module whose importer reads names at run time", { "m.mjs": 'import { f } from "./dep.mjs"; export const g = () => f(); export const load = (name) => import(name);', "dep.mjs": `let value = globalThis.Number(1); export const f = () => value;\n${hooks}` }, { "dep.mjs": `let value = globalThis.Number(2); export const f = () => value;\n${hooks}` }, "", "whose name is computed");
refusal("CommonJS that exports a variable by value", { "m.cjs": "let limit = globalThis.Number(1); exports.limit = limit;\nmodule.hot?.dispose(() => {});\nmodule.hot?.accept();" }, { "m.cjs": "let limit = globalThis.Number(2); exports.limit = limit;\nmodule.hot?.dispose(() => {});\nmodule.hot?.accept();" }, "", "it exports limit by value");
refusal("a var in a statement", `for (var i = 0; i < 1; i++) globalThis.a = 1; export const f = () => i;\n${hooks}`, `for (var i = 0; i < 1; i++) globalThis.a = 2; export const f = () => i;\n${hooks}`, "", "declares a variable with var");
