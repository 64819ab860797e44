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
  const runtime = createRuntime({ releaseDirectory: null, hash, pinMs, lingerMs, ...options });
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
    async swap(version) {
      await runtime.single();
      const plan = planTransition({ boot: shapes.A, target: shapes[version], touched, hash });
      if (plan.rung === "replace") throw new Error(plan.verdicts[0].reason);
      for (const { unit } of plan.units) touched.add(unit);
      const staged = await runtime.stage(overlayOf(plan, shapes[version]));
      if (staged.kind !== "staged") throw new Error(staged.reason);
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
  const x = await start('export const h=()=>"@V@"; export const twice=async(p)=>{const a=h(); await p; return a+h()}', { policy: "call" });
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
process.exit(0);
