// What a reload promises. Each entry: a name, what is done, what has to come of it.
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { text } from "node:stream/consumers";
import { boot } from "./live.mjs";

export const promises = [];
const promise = (name, want, act) => promises.push({ name, want, act });

/** A unit with a log that outlives it; `body` stands between what it carries and its hooks. */
const unit = (body, dispose = "", name = "m") => `
const log = globalThis.log ??= [];
${body}
import.meta.hot?.dispose((data) => { log.push("leave ${name}"); ${dispose} });
import.meta.hot?.accept();
`;
const fresh = () => (globalThis.log = []);
const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

const ticking = (ms) => `
let ticks = import.meta.hot?.data.ticks ?? 0;
const timer = setInterval(() => { ticks++; }, ${ms});
export const state = () => [timer._repeat, ticks];
export const touch = () => ++ticks;
import.meta.hot?.dispose((data) => { clearInterval(timer); data.ticks = ticks; });
import.meta.hot?.accept();
`;
promise("a timer with another interval is stopped and started again, and its count goes on", ["reload", [77000, 2], 0, "reload", [99000, 3], 0], async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) });
  const before = timers();
  live.m.touch();
  live.m.touch();
  const there = await live.swap({ "m.mjs": ticking(77000) });
  const got = [there, live.m.state(), timers() - before];
  live.m.touch();
  return [...got, await live.swap({}), live.m.state(), timers() - before];
});

const listening = (greeting) => `
import http from "node:http";
export let server = http.createServer((request, response) => response.end("${greeting}"));
server.listen(0, "127.0.0.1");
export const port = () => server.address()?.port ?? 0;
import.meta.hot?.dispose(() => { server.close(); server.closeAllConnections(); });
import.meta.hot?.accept();
`;
const ask = (port, path = "/") => new Promise((resolve) => http.get({ port, path, host: "127.0.0.1", agent: false }, (response) => resolve(text(response))).on("error", (error) => resolve(error.code)));
const listens = (server) => server.listening || once(server, "listening");
promise("a listener moves to another port: the old one is closed, the new one answers", ["a", "reload", "b", "ECONNREFUSED"], async (directory) => {
  const texts = ["a", "b"].map((greeting) => listening(greeting).replace("listen(0, \"127.0.0.1\")", greeting === "a" ? "listen(0, \"127.0.0.1\")" : "listen({ port: 0, host: \"127.0.0.1\" })"));
  const live = await boot(directory, { "m.mjs": texts[0] });
  await listens(live.m.server);
  const former = live.m.port();
  const got = [await ask(former), await live.swap({ "m.mjs": texts[1] })];
  await listens(live.m.server);
  got.push(await ask(live.m.port()), await ask(former));
  live.m.server.close();
  return got;
});

const connected = (name) => `
import net from "node:net";
export let socket = net.connect(globalThis.port, "127.0.0.1");
socket.on("error", () => {});
socket.write("${name}");
import.meta.hot?.dispose(() => { socket.destroy(); });
import.meta.hot?.accept();
`;
promise("a connection is opened anew and the old one is closed", ["a", "reload", true, "b"], async (directory) => {
  const said = [];
  let heard = () => undefined;
  const server = net.createServer((socket) => socket.on("error", () => undefined).on("data", (chunk) => {
    said.push(String(chunk));
    heard();
  })).listen(0, "127.0.0.1");
  await once(server, "listening");
  globalThis.port = server.address().port;
  const next = () => new Promise((resolve) => (said.length > 0 ? resolve(said.shift()) : (heard = () => resolve(said.shift()))));
  const live = await boot(directory, { "m.mjs": connected("a") });
  const first = live.m.socket;
  const got = [await next(), await live.swap({ "m.mjs": connected("b") }), first.destroyed, await next()];
  live.m.socket.destroy();
  server.close();
  return got;
});

const plainTable = `
const orders = import.meta.hot?.data.orders ?? new Map();
export const add = (id, cents) => { orders.set(id, cents); };
export const all = () => [...orders];
import.meta.hot?.dispose((data) => { data.orders = orders; });
import.meta.hot?.accept();
`;
const migrated = `
import { migrate } from "@midflight/agent";
const data = migrate(import.meta.hot, {
  version: 2,
  up: (old) => ({ orders: new Map([...old.orders ?? []].map(([id, cents]) => [id, { cents, currency: "EUR" }])) }),
  down: (data) => ({ orders: new Map([...data.orders].map(([id, { cents }]) => [id, cents])) }),
});
const orders = data.orders ?? new Map();
export const add = (id, cents) => { orders.set(id, { cents, currency: "EUR" }); };
export const all = () => [...orders];
import.meta.hot?.dispose((data) => { data.orders = orders; });
import.meta.hot?.accept();
`;
promise("a table takes its new shape by migrate, and its old one on the way back", ["reload", [[1, { cents: 5, currency: "EUR" }], [2, { cents: 6, currency: "EUR" }]], "reload", [[1, 5], [2, 6]], "reload", 2], async (directory) => {
  const live = await boot(directory, { "m.mjs": plainTable });
  live.m.add(1, 5);
  const got = [await live.swap({ "m.mjs": migrated })];
  live.m.add(2, 6);
  got.push(live.m.all(), await live.swap({}), live.m.all(), await live.swap({ "m.mjs": migrated }));
  return [...got, live.m.all().length];
});

const failing = (where, ms = 77000) => ({
  dispose: ticking(99000).replace("clearInterval", "if (globalThis.fails) throw new Error('no'); clearInterval"),
  top: ticking(ms).replace("export const state", "if (globalThis.fails) throw new Error('no');\nexport const state").replace("const timer", "import.meta.hot?.dispose((data) => { clearInterval(timer); data.ticks = ticks; });\nconst timer").replace(/import\.meta\.hot\?\.dispose.*\nimport\.meta\.hot\?\.accept/, "import.meta.hot?.accept"),
  accept: ticking(ms).replace("accept()", "accept(() => { if (globalThis.fails) throw new Error('no'); })"),
  invalidate: ticking(ms).replace("accept();", "accept();\nif (globalThis.fails) import.meta.hot?.invalidate('not now');"),
  migrate: migrated.replace("up: (old) => (", "up: (old) => globalThis.fails ? old.missing.x : ("),
})[where];
const thenFails = async (directory, a, b, probe, setup) => {
  const live = await boot(directory, { "m.mjs": a });
  setup?.(live.m);
  const before = timers();
  globalThis.fails = true;
  const said = await live.swap({ "m.mjs": b });
  globalThis.fails = false;
  return [said, probe(live.m), timers() - before, await live.swap({ "m.mjs": b }), probe(live.m), timers() - before];
};
const twice = (m) => {
  m.touch();
  m.touch();
};
promise("a dispose that throws leaves all as it was; the next swap goes through", ["RELOAD_FAILED: dispose() threw Error: no; what ran before runs again", [99000, 2], 0, "reload", [77000, 2], 0], (directory) =>
  thenFails(directory, failing("dispose"), failing("dispose").replace("99000", "77000"), (m) => m.state(), twice));
promise("a top level that throws leaves all as it was, timer and count; the next swap goes through", ["RELOAD_FAILED: its top level threw Error: no; what ran before runs again", [99000, 2], 0, "reload", [77000, 2], 0], (directory) =>
  thenFails(directory, ticking(99000), failing("top"), (m) => m.state(), twice));
promise("an accept that throws leaves all as it was", ["RELOAD_FAILED: accept() threw Error: no; what ran before runs again", [99000, 2], 0, "reload", [77000, 2], 0], (directory) =>
  thenFails(directory, failing("accept", 99000), failing("accept"), (m) => m.state(), twice));
promise("invalidate takes the swap back", ["RELOAD_FAILED: its top level threw Error: not now; what ran before runs again", [99000, 2], 0, "reload", [77000, 2], 0], (directory) =>
  thenFails(directory, ticking(99000), failing("invalidate"), (m) => m.state(), twice));
promise("a migrate that throws leaves all as it was", ["RELOAD_FAILED: its top level threw TypeError: Cannot read properties of undefined (reading 'x'); what ran before runs again", [[1, 5]], 0, "reload", [[1, { cents: 5, currency: "EUR" }]], 0], (directory) =>
  thenFails(directory, plainTable, failing("migrate"), (m) => m.all(), (m) => m.add(1, 5)));
promise("what a top level set up before it said how to undo it, and then threw, needs a new process", true, async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) });
  const late = ticking(77000).replace("export const state", "if (true) throw new Error('no');\nexport const state");
  return (await live.swap({ "m.mjs": late })).startsWith("REPLACE_NEEDED: its top level threw Error: no; and what ran before could not be brought back");
});

const first = (n) => unit(`log.push("enter dep ${n}"); export let value = ${n}; export const bump = () => ++value;`, "data.value = value;", "dep");
const second = (n) => `import { value } from "./dep.mjs";\n${unit(`log.push("enter main ${n}"); const copy = value + ${n}; export const both = () => [value, copy];`, "void copy;", "main")}`;
promise("importers leave before what they import, and enter after it", ["reload", [2, 3], ["enter dep 1", "enter main 1", "leave main", "leave dep", "enter dep 2", "enter main 1"]], async (directory) => {
  const log = fresh();
  const live = await boot(directory, { "m.mjs": second(1), "dep.mjs": first(1) });
  return [await live.swap({ "dep.mjs": first(2) }), live.m.both(), log];
});
promise("a hook that throws in the second of two modules leaves both as they were", ["RELOAD_FAILED: its top level threw Error: no; what ran before runs again", [1, 2]], async (directory) => {
  fresh();
  const live = await boot(directory, { "m.mjs": second(1), "dep.mjs": first(1) });
  const broken = second(1).replace("export const both", "throw new Error('no'); export const both").replace('log.push("enter main 1")', "void 0");
  return [await live.swap({ "dep.mjs": first(2), "m.mjs": `import.meta.hot?.dispose(() => { void copy; });\n${broken.replace(/import\.meta\.hot\?\.dispose\(\(data\).*\n/, "")}` }), live.m.both()];
});
promise("a cycle of modules with hooks is reloaded as one", ["reload", ["a2", "b2"]], async (directory) => {
  const one = (n) => `import { b } from "./b.mjs";\nexport let a = globalThis.String("a${n}"); export const both = () => [a, b()];\nimport.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();`;
  const other = (n) => `import { a } from "./m.mjs";\nlet own = globalThis.String("b${n}"); export const b = () => (a, own);\nimport.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();`;
  const live = await boot(directory, { "m.mjs": one(1), "b.mjs": other(1) });
  return [await live.swap({ "m.mjs": one(2), "b.mjs": other(2) }), live.m.both()];
});
promise("importers see what is bound anew, by name and by namespace", ["reload", [2, 2, 2]], async (directory) => {
  const dep = (n) => `export let value = globalThis.Number(${n}); export const get = () => value;\nimport.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();`;
  const live = await boot(directory, { "m.mjs": 'import { value, get } from "./dep.mjs"; import * as all from "./dep.mjs"; export const f = () => [value, get(), all.value];', "dep.mjs": dep(1) });
  return [await live.swap({ "dep.mjs": dep(2) }), live.m.f()];
});
promise("a new variable and a new export of a module that runs again are found by its importers", ["reload", [1, 7]], async (directory) => {
  const dep = (more) => `export let value = 1; ${more}\nimport.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();`;
  const main = (more) => `import { value${more ? ", extra" : ""} } from "./dep.mjs"; export const f = () => [value${more ? ", extra" : ""}];`;
  const live = await boot(directory, { "m.mjs": main(false), "dep.mjs": dep("") });
  return [await live.swap({ "m.mjs": main(true), "dep.mjs": dep("export let extra = 3 + Number(`4`); globalThis.extra = extra;") }), live.m.f()];
});
promise("classes and functions keep their identity, and instances their methods", ["reload", true, true, [2, "made 2"]], async (directory) => {
  const written = (n) => `let label = globalThis.String("made ${n}"); export class C { v() { return [${n}, label]; } } export function f() { return ${n}; }\nimport.meta.hot?.dispose(() => {});\nimport.meta.hot?.accept();`;
  const live = await boot(directory, { "m.mjs": written(1) });
  const { C, f } = live.m;
  const made = new C();
  return [await live.swap({ "m.mjs": written(2) }), made instanceof live.m.C, f === live.m.f, made.v()];
});
promise("a module that only changes bodies is patched: no hook runs", ["patch", 4, ["enter"]], async (directory) => {
  const log = fresh();
  const written = (n) => unit(`log.push("enter"); export const f = () => ${n};`);
  const live = await boot(directory, { "m.mjs": written(1) });
  return [await live.swap({ "m.mjs": written(4) }), live.m.f(), log];
});
promise("a module that ran again is left alone by a release that changes another one", ["reload", "patch", 3, [77000, 5]], async (directory) => {
  const live = await boot(directory, { "m.mjs": `export * from "./t.mjs"; export const g = () => 1;`, "t.mjs": ticking(99000) });
  const got = [await live.swap({ "t.mjs": ticking(77000) })];
  for (let i = 0; i < 5; i++) live.m.touch();
  got.push(await live.swap({ "t.mjs": ticking(77000), "m.mjs": `export * from "./t.mjs"; export const g = () => 3;` }));
  return [...got, live.m.g(), live.m.state()];
});
promise("a release that only changes a body after a reload keeps what ran again", ["reload", "reload", [99000, 1, "new"]], async (directory) => {
  const written = (ms, word) => ticking(ms).replace("[timer._repeat, ticks]", `[timer._repeat, ticks, "${word}"]`);
  const live = await boot(directory, { "m.mjs": written(99000, "old") });
  live.m.touch();
  return [await live.swap({ "m.mjs": written(77000, "old") }), await live.swap({ "m.mjs": written(99000, "new") }), live.m.state()];
});
promise("what only the module with hooks ran of another one is run again", ["reload", 20], async (directory) => {
  const main = `import { make } from "./lib.mjs";\nlet made = make();\nexport const f = () => made;\nimport.meta.hot?.dispose(() => { void made; });\nimport.meta.hot?.accept();`;
  const live = await boot(directory, { "m.mjs": main, "lib.mjs": "export function make() { return 10; }" });
  return [await live.swap({ "lib.mjs": "export function make() { return 20; }" }), live.m.f()];
});
promise("it is run again by each release that changes that other one", ["reload", 20, "reload", 30, "reload", 10], async (directory) => {
  const main = `import { make } from "./lib.mjs";\nlet made = make();\nexport const f = () => made;\nimport.meta.hot?.dispose(() => { void made; });\nimport.meta.hot?.accept();`;
  const lib = (n) => `export function make() { return ${n}; }`;
  const live = await boot(directory, { "m.mjs": main, "lib.mjs": lib(10) });
  return [await live.swap({ "lib.mjs": lib(20) }), live.m.f(), await live.swap({ "lib.mjs": lib(30) }), live.m.f(), await live.swap({}), live.m.f()];
});
promise("a module that was patched, and never ran again, is patched again: no hook runs", ["patch", "patch", "patch", 1, ["enter"]], async (directory) => {
  const log = fresh();
  const text = (n) => unit(`log.push("enter"); export const f = () => ${n};`);
  const live = await boot(directory, { "m.mjs": text(1) });
  return [await live.swap({ "m.mjs": text(2) }), await live.swap({ "m.mjs": text(3) }), await live.swap({}), live.m.f(), log];
});
promise("what lies in data stays there until somebody takes it out", ["reload", "reload", "kept"], async (directory) => {
  const text = (n, more) => `globalThis.mark = ${n}; export const f = () => import.meta.hot?.data.word;\nimport.meta.hot?.dispose((data) => { ${more} });\nimport.meta.hot?.accept();`;
  const live = await boot(directory, { "m.mjs": text(1, 'data.word = "kept";') });
  return [await live.swap({ "m.mjs": text(2, "") }), await live.swap({ "m.mjs": text(3, "") }), live.m.f()];
});
promise("a text that changed on the disk is not run again: the reload is refused", "OVERLAY_FAILED: the text that the process started with is no longer on the disk", async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) });
  writeFileSync(join(live.root, "m.mjs"), "globalThis.stolen = true;");
  return live.swap({ "m.mjs": ticking(77000) });
});
promise("a transition that names another text than the process started with is refused", "OVERLAY_FAILED: the transition names another text than the process started with", async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) }, { bootArtifacts: new Map() });
  return live.swap({ "m.mjs": ticking(77000) });
});
promise("CommonJS declares its hooks by module.hot", ["reload", [77000, 1], "reload", [99000, 2]], async (directory) => {
  const written = (ms) => `let ticks = module.hot?.data.ticks ?? 0;
const timer = setInterval(() => {}, ${ms});
exports.state = () => [timer._repeat, ticks];
exports.touch = () => ++ticks;
if (module.hot) {
  module.hot.accept();
  module.hot.dispose((data) => { clearInterval(timer); data.ticks = ticks; });
}`;
  const live = await boot(directory, { "m.cjs": written(99000) });
  live.m.touch();
  const got = [await live.swap({ "m.cjs": written(77000) }), live.m.state()];
  live.m.touch();
  return [...got, await live.swap({}), live.m.state()];
});
promise("each copy of a module is reloaded with its own state", ["reload", [77000, 1], [77000, 2]], async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) });
  const other = await live.load("m.mjs", "?other");
  live.m.touch();
  twice(other);
  return [await live.swap({ "m.mjs": ticking(77000) }), live.m.state(), other.state()];
});
promise("a module that is not loaded yet is not taken for reloaded", "OVERLAY_FAILED: it is not loaded yet: once it is, its top level would run as it was", async (directory) => {
  const live = await boot(directory, { "m.mjs": "export const f = () => 1;", "late.mjs": ticking(99000) });
  return live.swap({ "late.mjs": ticking(77000) });
});
promise("a process that comes up loads its own text first: a reload before that is refused", "refused", async (directory) => {
  const live = await boot(directory, { "m.mjs": ticking(99000) });
  const target = { "m.mjs": ticking(77000) };
  const { overlayOf, shapeOf } = await import("./world.mjs");
  return live.runtime.adopt(overlayOf(live.plan(target), shapeOf(target))).kind;
});
promise("a release without the hooks is not live where the module ran again", ["reload", "REPLACE_NEEDED: its top level ran again under an earlier release, and this one has no hooks that lead on from there", [77000, 0]], async (directory) => {
  const without = ticking(99000).replace(/import\.meta\.hot\?\.(dispose|accept).*\n/g, "");
  const live = await boot(directory, { "m.mjs": ticking(99000), "o.mjs": "" });
  const got = [await live.swap({ "m.mjs": ticking(77000) })];
  const { overlayOf, shapeOf } = await import("./world.mjs");
  const staged = await live.runtime.stage({ ...overlayOf(live.plan({}), shapeOf({ "m.mjs": ticking(99000), "o.mjs": "" })), units: [] });
  void without;
  return [...got, `${staged.code}: ${staged.reason}`, live.m.state()];
});

promise("a hundred reloads leave one timer and no former state behind", ["reload", true, 0, true], async (directory) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const heavy = (ms) => ticking(ms).replace("const timer", "const table = new Array(20000).fill(ticks);\nglobalThis.tables.push(new WeakRef(table));\nconst timer").replace("data.ticks = ticks;", "data.ticks = ticks; void table;");
  globalThis.tables = [];
  const live = await boot(directory, { "m.mjs": heavy(99000) });
  const before = timers();
  for (let i = 0; i < 10; i++) await live.swap({ "m.mjs": heavy(i % 2 === 0 ? 77000 : 99000) });
  const settle = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const small = await settle();
  const said = new Set();
  for (let i = 0; i < 100; i++) said.add(await live.swap({ "m.mjs": heavy(i % 2 === 0 ? 77000 : 99000) }));
  const grown = (await settle()) - small;
  const alive = globalThis.tables.filter((table) => table.deref() !== undefined).length;
  return [[...said].join(), grown < 2_000_000, timers() - before, alive <= 2];
});
