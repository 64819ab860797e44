// Runs inside each supported Node: one line of JSON per promise, `{name, got, want}`.
// Code is written once with `@V@` for the version; lines that begin with `//B ` belong to version B only.
import { createHash } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import { text } from "node:stream/consumers";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRuntime } from "@midflight/agent/runtime";
import { overlayOf, shapeOf } from "./world.mjs";

const hash = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const directory = process.argv[2];
// The runtime never holds a process; this one waits for it.
setInterval(() => undefined, 1000);
// Beyond any stall of a busy machine: only the straggler's test has a bound to reach.
const pinMs = 60_000;
const stragglerMs = 3000;
const lingerMs = 20;
let serial = 0;

const versionOf = (text, version) =>
  text.split("\n").filter((line) => !/^\s*\/\/[ABC] /.test(line) || line.trim().startsWith(`//${version} `)).map((line) => line.replace(/^(\s*)\/\/[ABC] /, "$1")).join("\n").replaceAll("@V@", version);

async function start(text, options = {}) {
  const runtime = createRuntime({ releaseDirectory: null, hash, lingerMs, requests: { pinMs, ...options } });
  runtime.install();
  const { planTransition } = await import("@midflight/planner");
  const shapes = Object.fromEntries(["A", "B", "C"].map((version) => [version, shapeOf({ "m.mjs": versionOf(text, version) })]));
  const root = join(directory, `${process.version}-${++serial}`);
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "m.mjs"), shapes.A.units.get("m.mjs").artifact);
  const m = await import(pathToFileURL(join(root, "m.mjs")).href);
  const touched = new Set();
  return {
    m, runtime,
    /** `holding` settles when new requests are held. */
    swapping(version) {
      const on = gate();
      return { done: this.swap(version, on.open), holding: on.passed };
    },
    async swap(version, onDrain = () => undefined) {
      await runtime.single();
      const plan = planTransition({ boot: shapes.A, target: shapes[version], touched, hash });
      if (plan.rung === "replace") throw new Error(plan.verdicts[0].reason);
      for (const { unit } of plan.units) touched.add(unit);
      const staged = await runtime.stage(overlayOf(plan, shapes[version]));
      if (staged.kind !== "staged") throw new Error(staged.reason);
      const drained = runtime.drain(staged.staged);
      onDrain();
      const busy = await drained;
      if (busy !== null) return busy;
      const result = runtime.commit(staged.staged);
      if (result.kind !== "committed") throw new Error(result.reason);
    },
    end: () => runtime.uninstall(),
  };
}

const gate = () => {
  let open;
  const passed = new Promise((resolve) => (open = resolve));
  return { open, passed };
};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (name, got, want) => console.log(JSON.stringify({ name, got, want }));

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

function request(port, { path = "/", method = "GET", body = () => undefined } = {}) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port, path, method, agent: false }, (response) => {
      text(response).then(resolve, reject);
    });
    sent.on("error", reject);
    if (method === "POST") body(sent);
    else sent.end();
  });
}

{
  const x = await start('export class C{ a(){return "@V@"}\n//B fresh(){return "fresh"}\nuse(){\n//A return this.a()\n//B return this.a()+this.fresh()\n//C return this.a()\n} }');
  const c = new x.m.C();
  const g = gate();
  const old = x.runtime.run(async () => {
    const first = c.use();
    await g.passed;
    return `${first}|${c.use()}`;
  });
  await x.swap("B");
  say("a new request calls an added method while an old one is open", await x.runtime.run(async () => c.use()), "Bfresh");
  g.open();
  say("an old request goes on without it", await old, "A|A");
  x.end();
}
{
  const x = await start('export function* g(){ yield "@V@"; yield h() } function h(){return "@V@"} export async function a(p){ const s="@V@"; await p; return s + h() }');
  const got = await x.runtime.run(async () => {
    const g = x.m.g();
    const first = g.next().value;
    const p = gate();
    const a = x.m.a(p.passed);
    await x.swap("B");
    p.open();
    return [first, g.next().value, await a];
  });
  say("a suspended generator and async function of an old request stay on their generation", got, ["A", "A", "AA"]);
  x.end();
}
{
  const x = await start('const q=[]; export const tick=()=>q.splice(0).forEach(f=>f()); const h=()=>"@V@"; export function inline(r){ q.push(() => r("@V@"+h())) } export async function timers(){ const out=[h()]; await new Promise(r=>setTimeout(()=>{ out.push(h()); r() },30)); await new Promise(r=>setImmediate(r)); out.push(h()); for await (const v of (async function*(){ await null; yield h() })()) out.push(v); return out.join("") }');
  const pooled = x.runtime.run(() => new Promise((resolve) => x.m.inline(resolve)));
  const timed = x.runtime.run(() => x.m.timers());
  await x.swap("B");
  x.runtime.run(() => x.m.tick());
  say("a callback given to a shared pool stays with the request that gave it", await pooled, "AA");
  say("timers, immediates and async iteration stay with their request", await timed, "AAAA");
  await x.runtime.single();
  say("a new request after the drain", await x.runtime.run(() => x.m.timers()), "BBBB");
  x.end();
}
{
  const x = await start('export const h=()=>"@V@"; export const handler=(s,n)=>s+"@V@"+h()+n;');
  const library = (incoming, done) => {
    let n = 0;
    incoming.on("data", (chunk) => (n += chunk.length));
    incoming.on("end", () => done(n));
  };
  const began = gate();
  const server = http.createServer((incoming, response) => {
    const s = x.m.h();
    began.open();
    library(incoming, (n) => response.end(x.m.handler(s, n)));
  });
  const port = await listening(server);
  const answer = await request(port, { method: "POST", async body(sent) {
    sent.write("abc");
    await began.passed;
    await x.swap("B");
    sent.end("def");
  } });
  say("a library that reads the body by events, over a swap", answer, "AAA6");
  say("the next request", await request(port, { method: "POST", body: (sent) => sent.end("x") }), "BBB1");
  server.close();
  x.end();
}
{
  const x = await start('export const h=()=>"@V@";');
  const began = gate();
  const swapped = gate();
  const server = http2.createServer((_incoming, response) => {
    const first = x.m.h();
    began.open();
    void swapped.passed.then(() => response.end(first + x.m.h()));
  });
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const get = () => new Promise((resolve) => {
    const stream = client.request({ ":path": "/" });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
  });
  const old = get();
  await began.passed;
  await x.swap("B");
  swapped.open();
  say("http2: old stream, new stream", [await old, await get()], ["AA", "BB"]);
  await new Promise((resolve) => client.close(resolve));
  server.close();
  x.end();
}
{
  const x = await start('export const h=()=>"@V@"; export async function stream(write, stop){ while(!stop()){ write(h()); await new Promise(r=>setTimeout(r,10)) } }', { pinMs: stragglerMs });
  let stop = false;
  const seen = [];
  const more = async () => {
    const { length } = seen;
    while (seen.length < length + 2) await wait(5);
    return seen.at(-1);
  };
  const endless = x.runtime.run(() => x.m.stream((v) => seen.push(v), () => stop));
  await more();
  await x.swap("B");
  const pinned = await more();
  const t = performance.now();
  await x.runtime.single();
  const waited = performance.now() - t;
  say("a straggler stays until its bound, then goes on with the current generation", [pinned, await more(), waited < stragglerMs * 10], ["A", "B", true]);
  await x.swap("C");
  say("and from then on, per message", await more(), "C");
  stop = true;
  await endless;
  x.end();
}
{
  const x = await start('export const h=()=>"@V@"; export async function bg(p){ await p; return "@V@"+h() }');
  const p = gate();
  let left = Promise.resolve("");
  await x.runtime.run(async () => { left = x.m.bg(p.passed); });
  const other = gate();
  const open = x.runtime.run(() => other.passed);
  await x.swap("B");
  setTimeout(() => p.open(), 5);
  other.open();
  await open;
  say("work that goes on after the response keeps its generation while it lingers", await left, "AA");
  x.end();
}
{
  const x = await start('export const h=()=>"@V@";');
  const g = gate();
  const old = x.runtime.run(async () => { await g.passed; return x.m.h(); });
  await x.swap("B");
  let isThird = false;
  const third = x.swap("C").then(() => (isThird = true));
  await wait(20);
  const before = isThird;
  g.open();
  say("a third generation waits until the first has ended", [before, await old], [false, "A"]);
  await third;
  say("and then is live", x.m.h(), "C");
  x.end();
}
{
  const x = await start('export const h=()=>"@V@"; export const twice=async(p)=>{const a=h(); await p; return a+h()}', { kind: "call" });
  const began = gate();
  const swapped = gate();
  const server = http.createServer((_incoming, response) => {
    void x.m.twice(swapped.passed).then((answer) => response.end(answer));
    began.open();
  });
  const port = await listening(server);
  const old = request(port);
  await began.passed;
  await x.swap("B");
  swapped.open();
  say("under policy `call` new calls switch at once", await old, "AB");
  const again = gate();
  const job = x.runtime.run(() => x.m.twice(again.passed));
  await x.swap("C");
  again.open();
  say("and so do those of work in `run`", await job, "BC");
  server.close();
  x.end();
}
{
  const x = await start('let n=0; export const inc=()=>{ n++; return "@V@"+n }; export function plug(reg){ let k=0; reg("x",()=>"@V@"+ ++k) }');
  let held;
  x.m.plug((_, f) => (held = f));
  const g = gate();
  const old = x.runtime.run(async () => { const r = [x.m.inc(), held()]; await g.passed; r.push(x.m.inc(), held()); return r; });
  await x.swap("B");
  const now = await x.runtime.run(async () => [x.m.inc(), held()]);
  g.open();
  say("state is one, whatever the generation", [await old, now], [["A1", "A1", "A3", "A3"], ["B2", "B2"]]);
  x.end();
}
{
  const x = await start('export const h=()=>"@V@";', { pinMs: 60_000 });
  let say2;
  const server = http.createServer((incoming, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(x.m.h());
    say2 = () => response.write(x.m.h());
    incoming.on("close", () => response.end());
  });
  const port = await listening(server);
  const seen = { text: "" };
  const sent = http.get({ port, agent: false }, (response) => response.setEncoding("utf8").on("data", (chunk) => (seen.text += chunk)).on("error", () => undefined));
  sent.on("error", () => undefined);
  while (seen.text === "") await wait(5);
  const t = performance.now();
  await x.swap("B");
  say2();
  await x.swap("C");
  const waited = performance.now() - t;
  say2();
  while (seen.text.length < 3) await wait(5);
  say("an event stream goes on message by message, and keeps no swap waiting", [seen.text, waited < 5000], ["ABC", true]);
  sent.destroy();
  server.close();
  x.end();
}
// It is reached on purpose.
const holdMs = 1000;
const versions = 'export const h=()=>"@V@"; export async function slow(until){ const a="@V@"; await until; return a+h() }';

/** A server whose answers end when the test says so: `/slow` waits for a gate. */
async function serving(x) {
  const began = gate();
  const gates = [];
  let calls = 0;
  let at = 0;
  let most = 0;
  const server = http.createServer((incoming, response) => {
    calls += 1;
    at += 1;
    most = Math.max(most, at);
    const until = incoming.url === "/slow" ? gate() : null;
    if (until !== null) gates.push(until);
    void x.m.slow(until?.passed).then((answer) => {
      at -= 1;
      response.end(answer);
    });
    began.open();
  });
  const port = await listening(server);
  return { server, port, began: began.passed, open: () => gates.splice(0).forEach((one) => one.open()), calls: () => calls, most: () => most };
}

{
  const x = await start(versions, { kind: "drain", holdMs: 60_000 });
  const s = await serving(x);
  const old = request(s.port, { path: "/slow" });
  await s.began;
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const held = [];
  for (let i = 0; i < 5; i++) held.push(request(s.port, { path: "/" }));
  await wait(150);
  const seen = s.calls();
  s.open();
  await swapped;
  say("drain: new requests are held until those under way have ended, and then get the new code", [seen, await old, await Promise.all(held)], [1, "AA", ["BB", "BB", "BB", "BB", "BB"]]);
  say("drain: and so do all others", await request(s.port, { path: "/" }), "BB");
  s.server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs });
  const s = await serving(x);
  const endless = request(s.port, { path: "/slow" });
  await s.began;
  const t = performance.now();
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const held = request(s.port);
  await swapped;
  const waited = performance.now() - t;
  const got = await held;
  s.open();
  say("drain: a handler that does not end within the bound goes on with the new code", [got, await endless, waited >= holdMs - 50, waited < holdMs * 10], ["BB", "AB", true, true]);
  s.server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs, straggler: "replace" });
  const s = await serving(x);
  const endless = request(s.port, { path: "/slow" });
  await s.began;
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const held = request(s.port);
  const refused = await swapped;
  const got = await held;
  s.open();
  say("drain: or the swap is given up, nothing has changed, and what was held is served", [refused?.code, got, await endless, await request(s.port)], ["REQUESTS_OVERDUE", "AA", "AA", "AA"]);
  s.server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs: 60_000, maxHeld: 3 });
  const s = await serving(x);
  const endless = request(s.port, { path: "/slow" });
  await s.began;
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const held = Array.from({ length: 4 }, () => request(s.port));
  await swapped;
  const got = await Promise.all(held);
  s.open();
  say("drain: more than may be held end the wait, and none of them is lost", [got, await endless], [["BB", "BB", "BB", "BB"], "AB"]);
  s.server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs: 60_000 });
  const s = await serving(x);
  const old = request(s.port, { path: "/slow" });
  await s.began;
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const gone = http.get({ port: s.port, agent: false }, () => undefined);
  gone.on("error", () => undefined);
  const stays = request(s.port);
  const connections = () => new Promise((resolve, reject) => s.server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
  while ((await connections()) < 3) await wait(5);
  gone.destroy();
  while ((await connections()) > 2) await wait(5);
  s.open();
  await swapped;
  say("drain: a request whose sender has gone is not begun", [await old, await stays, s.calls()], ["AA", "BB", 2]);
  s.server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs: 60_000 });
  const began = gate();
  const ended = gate();
  let calls = 0;
  const server = http2.createServer((incoming, response) => {
    calls += 1;
    void x.m.slow(incoming.url === "/slow" ? ended.passed : null).then((answer) => response.end(answer));
    began.open();
  });
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const get = (path) => text(client.request({ ":path": path }));
  const old = get("/slow");
  await began.passed;
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const held = get("/");
  await wait(100);
  const seen = calls;
  ended.open();
  await swapped;
  say("drain: streams of http2 are held, too", [seen, await old, await held], [1, "AA", "BB"]);
  await new Promise((resolve) => client.close(resolve));
  server.close();
  x.end();
}
{
  const x = await start(versions, { kind: "drain", holdMs: 60_000 });
  const g = gate();
  const job = x.runtime.run(() => x.m.slow(g.passed));
  const { done: swapped, holding } = x.swapping("B");
  await holding;
  const later = gate();
  const late = x.runtime.run(() => x.m.slow(later.passed));
  g.open();
  await swapped;
  later.open();
  say("drain: work in `run` is waited for; what begins meanwhile ends on the code it began with", [await job, await late, await x.runtime.run(() => x.m.slow(null))], ["AA", "AA", "BB"]);
  x.end();
}
{
  const x = await start(versions, { pinMs: stragglerMs, straggler: "replace" });
  const told = [];
  x.runtime.whenOverdue((reason) => told.push(reason));
  const g = gate();
  const endless = x.runtime.run(() => x.m.slow(g.passed));
  await x.swap("B");
  await x.runtime.single();
  const next = await x.runtime.run(() => x.m.slow(null));
  let third = "committed";
  await x.swap("C").catch((error) => (third = error.message));
  g.open();
  say("a straggler may be kept on its generation, and told of, so that its process is replaced", [told.length, next, third, await endless], [1, "BB", "requests of the generation before the last are still open", "AA"]);
  await wait(lingerMs * 10);
  await x.swap("C");
  say("and what comes later waits for it no longer than that", x.m.h(), "C");
  x.end();
}
process.exit(0);
