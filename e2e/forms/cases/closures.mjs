// Functions that others hold: closures, handlers, timers.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

add("arrow that returns an arrow, made before the swap", "export const c=x=>y=>x+y", "export const c=x=>y=>x*y", (m, s) => [s(4), m.c(2)(5)], { setup: (m) => m.c(3) });
add("closure made before: reads what nothing captured, writes what it captured", 'export function plugin(reg){const cfg={k:3};let hits=0;const unused=41;reg("a",(x)=>{hits++;return x*cfg.k});return {hits:()=>hits, m(){return 1}}}', 'export function plugin(reg){const cfg={k:3};let hits=0;const unused=41;reg("a",(x)=>{hits+=10;return x*cfg.k+unused});return {hits:()=>[hits], m(){return unused}}}', (m, s) => [s.f(2), s.f(2), s.p.hits(), s.p.m()], { setup: (m) => { let f; const p = m.plugin((n, g) => (f = g)); return { f, p }; } });
add("closure in nested registration, with the handler's this", "export async function plugin(app){let a=1; await null; app.register(async (sub)=>{let b=2; sub.get(\"/\",async function(q){return [this.t,a,b,q]})})}", "export async function plugin(app){let a=1; await null; app.register(async (sub)=>{let b=2; sub.get(\"/\",async function(q){a++;b++;return {t:this.t,a,b,q}})})}", async (m, s) => [await s.h.call({ t: 1 }, "q"), await s.h.call({ t: 1 }, "q")], { setup: async (m) => { const s = {}; await m.plugin({ register: (f) => (s.p = f({ get: (p, h) => (s.h = h) })) }); await s.p; return s; } });
add("closure that uses a variable of a block", "export function p(reg){for(const n of [1,2]) reg(()=>n)}", "export function p(reg){for(const n of [1,2]) reg(()=>n*2)}", () => 1, replace);
add("text around a closure changed", "export function p(reg){let k=1; reg(()=>k)}", "export function p(reg){let k=2; reg(()=>k)}", () => 1, replace);
add("nested function declaration that escapes", "export function p(reg){let k=1; function h(x){return x+k} reg(h)}", "export function p(reg){let k=1; function h(x){return x*10+k} reg(h)}", (m, s) => s(2), { setup: (m) => { let f; m.p((g) => (f = g)); return f; } });
add("handlers registered at the top level", 'export const routes={};const app={get:(p,h)=>{routes[p]=h}};let hits=0;app.get("/a",()=>{hits++;return hits});app.get("/b",function(){return "b"})', 'export const routes={};const app={get:(p,h)=>{routes[p]=h}};let hits=0;app.get("/a",()=>{hits+=5;return [hits]});app.get("/b",function(){return "B"})', (m) => [m.routes["/a"](), m.routes["/b"]()], { rung: "patch" });
add("bound function, listener and promise holding the old function", "export function f(x){return x}", "export function f(x){return [x]}", async (m, s) => [s.b(), s.l[0](2), await s.p()], { setup: (m) => ({ b: m.f.bind(null, 1), l: [m.f], p: () => Promise.resolve(3).then(m.f) }) });
add("closures that a closure made, over and over", "export function p(reg){let n=0; reg('x',()=>++n)}", "export function p(reg){let n=0; reg('x',()=>n+=10)}", (m, s) => [s[0](), (() => { let f; m.p((_, g) => (f = g)); return f(); })()], { setup: (m) => { const l = []; m.p((_, f) => l.push(f)); return l; } });
add("interval made before the swap runs the new body", "export const box={n:0}; export function start(){ return setInterval(()=>{box.n=1},1) }", "export const box={n:0}; export function start(){ return setInterval(()=>{box.n=2},1) }", async (m, t) => { m.box.n = 0; await new Promise((r) => setTimeout(r, 20)); clearInterval(t); return m.box.n; }, { setup: (m) => m.start() });

// One that is under way finishes with the text that it began with, whatever was swapped in between.
const begun = (m) => { const all = []; try { m.handle({ ask: (cb) => all.push(cb), next: null }, (v) => all.push(v), { verify: (info, cb) => all.push(cb) }); } catch {} return all; };

/** A function that takes a request makes a closure, and the text around that changes. One that goes on with the request ends with it. */
function inRequest(name, code, rung, probe = (m) => { let got; m.handle({ ask: (cb) => cb(true), next: null }, (v) => { got = v; }, { verify: (info, cb) => cb(info) }); return got; }, setup = begun) {
  const text = (value) => code.replaceAll("LIMIT", String(value));
  add(`in a request: ${name}`, text(1), text(2), probe, { setup, rung });
}

inRequest("a callback that a request is given", "export function handle(req,next){const k=LIMIT; req.ask((ok)=>next(ok?k:0))}", "patch");
inRequest("a callback that an option of a server's is given", "class S{constructor(o){this.options=o} take(req,next){const k=LIMIT; this.options.verify(1,(ok)=>next(ok?k:0))}} export const handle=(req,next,o)=>new S(o).take(req,next)", "patch");
inRequest("a function that goes on, put on the request and handed on", "function step(req,cb){req.ask(()=>cb())} export function handle(req,out){const k=LIMIT; let i=0; function next(){if(i++<k) step(req,next); else out(i)} req.next=next; next()}", "patch");
inRequest("a callback that a function of one's own hands on", "function ask(req,cb){if(!cb) return; req.ask((ok)=>{cb(ok)})} export function handle(req,next){const k=LIMIT; ask(req,(ok)=>next(ok?k:0))}", "patch");
inRequest("a callback that a function of one's own puts into a list", "const list=[]; function ask(req,cb){list.push(cb); req.ask(()=>list.forEach((one)=>one()))} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback that a function of one's own puts into a list, by another closure", "const list=[]; function ask(req,cb){list.push(()=>cb()); req.ask(()=>list.forEach((one)=>one()))} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback that a function of one's own gives another name", "const list=[]; function ask(req,cb){const c=cb; list.push(c); req.ask(()=>c())} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback that a function of one's own gives back", "const list=[]; function same(cb){return cb} export function handle(req,next){const k=LIMIT; list.push(same(()=>k)); next(list.length&&list.at(-1)())}", "replace");
inRequest("a callback that a function of one's own finds in its arguments", "const list=[]; function ask(){list.push(arguments[1]); arguments[0].ask(()=>list.at(-1)())} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback in an object that is handed on", "const list=[]; function ask(req,o){list.push(o); req.ask(()=>o.cb())} export function handle(req,next){const k=LIMIT; ask(req,{cb:()=>next(k)})}", "replace");
inRequest("a listener", "import {EventEmitter} from 'node:events'; const hub=new EventEmitter(); export function handle(req,next){const k=LIMIT; hub.on('x',()=>next(k)); hub.emit('x')}", "replace");
inRequest("an interval", "export function handle(req,next){const k=LIMIT; clearInterval(setInterval(()=>next(k),1000)); next(k)}", "replace");
inRequest("a callback that is subscribed", "export function handle(req,next){const k=LIMIT; next(k); req.hub?.subscribe(()=>next(k))}", "replace");
inRequest("a closure that is put where all requests find it", "const state={}; export function handle(req,next){const k=LIMIT; state.again=()=>k; next(state.again())}", "replace");
inRequest("a closure that is given back", "export function handle(req,next){const k=LIMIT; next(k); return ()=>k}", "replace");
inRequest("a closure in a map", "const made=new Map(); export function handle(req,next){const k=LIMIT; made.set(req,()=>k); next(made.get(req)())}", "replace");
inRequest("a function that goes on, and is kept elsewhere, too", "const all=[]; export function handle(req,out){const k=LIMIT; function next(){out(k)} req.ask(next); all.push(next)}", "replace");
inRequest("a function expression that keeps itself", "const all=[]; export function handle(req,out){const k=LIMIT; req.ask(function next(){all.push(next); out(k)})}", "replace");

// Whoever is called may be somebody else than the name says, or keep what it gets in a way that the name does not say.
inRequest("a callback that a bound method keeps", "const l=[]; const give=l.push.bind(l); export function handle(req,next){const k=LIMIT; give(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a bound method in an object keeps", "const l=[]; const q={job:l.push.bind(l)}; export function handle(req,next){const k=LIMIT; q.job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a method taken out of an object keeps", "const l=[]; const q={job(cb){l.push(cb)}}; const {job}=q; export function handle(req,next){const k=LIMIT; job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a method keeps, by call", "const l=[]; export function handle(req,next){const k=LIMIT; l.push.call(l,()=>k); next(l[0]())}", "replace");
inRequest("a callback that a function keeps, by call", "const l=[]; function own(cb){l.push(cb)} export function handle(req,next){const k=LIMIT; own.call(null,()=>k); next(l[0]())}", "replace");
inRequest("a callback that an instance keeps", "const l=[]; class job{constructor(cb){l.push(cb)}} export function handle(req,next){const k=LIMIT; new job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that one of two functions keeps", "const l=[]; const a=(cb)=>{l.push(cb)}, b=(cb)=>{l.unshift(cb)}; const job=l?a:b; export function handle(req,next){const k=LIMIT; job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a function which was made keeps", "const l=[]; const mk=()=>(cb)=>{l.push(cb)}; const job=mk(); export function handle(req,next){const k=LIMIT; job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a variable's later function keeps", "const l=[]; let job=(cb)=>cb(); job=(cb)=>{l.push(cb)}; export function handle(req,next){const k=LIMIT; job(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a function which was handed in keeps", "const l=[]; function take(req,next,give){const k=LIMIT; give(()=>k); next(l[0]())} export function handle(req,next){take(req,next,(cb)=>{l.push(cb)})}", "replace");
inRequest("a callback that a method of one's own keeps, under a name of those that await", "const l=[]; const o={acquire(cb){l.push(cb)}}; export function handle(req,next){const k=LIMIT; o.acquire(()=>k); next(l[0]())}", "replace");
inRequest("a callback that a function of one's own keeps, under a name of those that await", "const l=[]; function run(cb){l.push(cb)} export function handle(req,next){const k=LIMIT; run(()=>k); next(l[0]())}", "replace");
inRequest("a callback that the request's own method keeps", "const l=[]; export function handle(req,next){const k=LIMIT; req.on=(n,cb)=>{l.push(cb)}; req.on('x',()=>k); next(l[0]())}", "replace");
inRequest("a callback that is found in the arguments, beside its name", "const l=[]; function ask(req,cb){l.push(arguments[1]); req.ask(()=>l[0]())} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback among arguments that are kept whole", "const l=[]; function ask(req,cb){l.push(arguments); req.ask(()=>l[0][1]())} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "replace");
inRequest("a callback among arguments that are counted", "function ask(req,cb){if(arguments.length>1) req.ask(()=>cb())} export function handle(req,next){const k=LIMIT; ask(req,()=>next(k))}", "patch");

const shared = [(m) => { let got; m.handle({ app: m.app, socket: m.app }, (v) => { got = v; }); return got; }, (m) => void m.handle({ app: m.app, socket: m.app }, () => undefined)];
inRequest("a closure that all requests find by the app", "export const app={locals:{}}; export function handle(req,next){const k=LIMIT; if(!req.app.locals.h) req.app.locals.h=()=>k; next(req.app.locals.h())}", "replace", ...shared);
inRequest("a closure that the next request on the connection finds", "export const app={}; export function handle(req,next){const k=LIMIT; if(!req.socket.h) req.socket.h=()=>k; next(req.socket.h())}", "replace", ...shared);
inRequest("a listener of the app, by the request", "import {EventEmitter} from 'node:events'; export const app=new EventEmitter(); export function handle(req,next){const k=LIMIT; if(!app.listenerCount('x')) req.app.on('x',(to)=>{to(k)}); app.emit('x',next)}", "replace", ...shared);

/** What a request began and what has no end is not over with it. (Here it has one, so that the process has, too.) */
const loop = async (m) => { const before = m.box.runs; while (m.box.runs < before + 3) await new Promise(setImmediate); return m.box.n; };
const begin = (m) => void m.handle({}, () => undefined);
for (const [what, tick] of [
  ["a timer", "function tick(){if(did(k)) setTimeout(tick,1)}"],
  ["a timer's closure", "function tick(){if(did(k)) setTimeout(()=>{tick()},1)}"],
  ["an immediate", "function tick(){if(did(k)) setImmediate(tick)}"],
  ["a promise", "function tick(){if(did(k)) wait().then(tick)}"],
  ["its own wait", "async function tick(){if(!did(k)) return; await wait(); tick()}"],
  ["another function's timer", "function tock(){setTimeout(tick,1)} function tick(){if(did(k)) tock()}"],
]) inRequest(`a function that runs for ever by ${what}`, `export const box={n:0,runs:0,isOn:false}; const wait=()=>new Promise((go)=>setTimeout(go,1)); function did(k){box.n=k; return box.runs++<100} export function handle(req,next){const k=LIMIT; ${tick} if(!box.isOn){box.isOn=true; tick()} next(k)}`, "replace", loop, begin);
inRequest("a function that goes on in the next turn where the stack is deep", "function step(req,cb){req.ask(()=>cb())} export function handle(req,out){const k=LIMIT; let i=0; function next(error){if(i>99) return setImmediate(next,error); if(i++<k) step(req,next); else out(i)} req.next=next; next()}", "patch");

/** A method that a constructor's handler of requests calls; and one that the constructor calls itself. */
for (const [name, call, rung] of [
  ["when requests come", "this.on={upgrade:(req,head)=>{this.take(req,head)}}", "patch"],
  ["at once, by a handler in an object", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; this.on.upgrade(1,2)", "replace"],
  ["at once, by a handler that is taken out of an object", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; const {upgrade}=this.on; upgrade(1,2)", "replace"],
  ["at once, by all handlers in an object", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; Object.values(this.on).forEach((f)=>f(1,2))", "replace"],
  ["at once, by all entries of an object", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; for(const [k,f] of Object.entries(this.on)) f(1,2)", "replace"],
  ["at once, by a handler in an object, by call", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; this.on.upgrade.call(null,1,2)", "replace"],
  ["at once, by a handler in an object that gets a name", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; const f=this.on.upgrade; f(1,2)", "replace"],
  ["at once, by a handler under a computed name that gets a name", "this.on={upgrade:(req,head)=>{this.take(req,head)}}; for(const k in this.on){const f=this.on[k]; f(1,2)}", "replace"],
  ["at once, by a function that calls all handlers", "const run=(o)=>{for(const f of Object.values(o)) f(1,2)}; run({upgrade:(req,head)=>{this.take(req,head)}})", "replace"],
  ["at once, by a handler that it calls", "const run=(req,head)=>{this.take(req,head)}; run(1,2)", "replace"],
  ["at once", "this.take(1,2)", "replace"],
]) {
  const text = (value) => `export class S{constructor(){${call}} take(req,head){this.size=${value}}}; export const f=()=>{const s=new S(); s.take(1,2); return s.size}`;
  add(`a method that a constructor calls ${name}`, text(1), text(2), (m) => m.f(), { setup: (m) => new m.S(), rung });
}

