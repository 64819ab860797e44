// What goes and what comes, over one swap and over two: who holds the former, and what it holds, must not be lost sight of.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

/** `make` gives something to hold: before the first swap if it can, and after each. All that is held is used at the end. */
const hold = (m, held) => { const one = m.make(); if (one) held.push(one); return held; };
const holding = { setup: (m) => hold(m, []), between: hold, oneWay: true };
const used = (m, held) => held.map((one) => one());

const gone = (name, a, b, more = replace) => add(`goes: ${name}`, a, b, used, { ...holding, ...more });
gone("a function that is held, and comes under another name", "function g(){return 1} export const make=()=>g", "function h(){return 2} export const make=()=>h");
gone("a function that is held, and comes from another module", { "m.mjs": "import {g} from './u.mjs'; import './v.mjs'; export const make=()=>g", "u.mjs": "export function g(){return 1}", "v.mjs": "export const y=1" }, { "m.mjs": "import './u.mjs'; import {g} from './v.mjs'; export const make=()=>g", "u.mjs": "export const x=1", "v.mjs": "export const y=1; export function g(){return 2}" });
gone("a class with instances, and comes under another name", "class K{v(){return 1}} export const make=()=>{const k=new K(); return ()=>k.v()}", "class Q{v(){return 2}} export const make=()=>{const k=new Q(); return ()=>k.v()}");
gone("a table whose function is held", "const T={v(){return 1}}; export const make=()=>T.v", "const Q={v(){return 2}}; export const make=()=>Q.v");
gone("a method that is held", "class C{v(){return 1}} const c=new C(); export const make=()=>c.v", "class C{w(){return 2}} const c=new C(); export const make=()=>c.w");
gone("a function that is only called", "function g(){return 1} export const make=()=>()=>0; export const z=()=>g()", "function h(){return 2} export const make=()=>()=>0; export const z=()=>h()", { rung: "redefine" });
gone("a function that is only used on the spot", "const g=(n)=>n+1; export const make=()=>()=>0; export const z=()=>[1].map(g)", "const h=(n)=>n+2; export const make=()=>()=>0; export const z=()=>[1].map(h)", { rung: "redefine" });
add("goes: a listener with its registration", "import {EventEmitter} from 'node:events'; const e=new EventEmitter(); let n=0; function on(){n=1} export const start=()=>{e.on('x',on)}; export const run=()=>{e.emit('x'); return n}", "import {EventEmitter} from 'node:events'; const e=new EventEmitter(); let n=0; export const start=()=>{}; export const run=()=>{e.emit('x'); return n}", (m) => m.run(), { setup: (m) => void m.start(), ...replace });
add("goes: a method that listens with its registration", "import {EventEmitter} from 'node:events'; const e=new EventEmitter(); let n=0; class C{on(){n=1} start(){e.on('x',this.on)}} const c=new C(); export const start=()=>c.start(); export const run=()=>{e.emit('x'); return n}", "import {EventEmitter} from 'node:events'; const e=new EventEmitter(); let n=0; class C{start(){}} const c=new C(); export const start=()=>c.start(); export const run=()=>{e.emit('x'); return n}", (m) => m.run(), { setup: (m) => void m.start(), ...replace });

/** The same with what an update added: a plan starts from the boot text and knows nothing of it, so the process refuses. */
const nothing = "export const make=()=>null";
const added = (name, a, b, third, more = {}) => add(`added, then: ${name}`, a, b, used, { ...holding, setup: () => [], third, isThirdRefused: true, ...more });
const apart = (m, u, v) => ({ "m.mjs": m, "u.mjs": u, "v.mjs": v });
added("a function that is held changes", nothing, "function g(){return 1} export const make=()=>g", "function g(){return 2} export const make=()=>g", { isThirdRefused: false });
added("a function that is held comes under another name", nothing, "function g(){return 1} export const make=()=>g", "function h(){return 2} export const make=()=>h");
added("a function that is held comes from another module", apart("import {x} from './u.mjs'; import {y} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>null", "export const x=1", "export const y=1"), apart("import {x,g} from './u.mjs'; import {y} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>g", "export const x=1; export function g(){return 1}", "export const y=1"), apart("import {x} from './u.mjs'; import {y,g} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>g", "export const x=1", "export const y=1; export function g(){return 2}"));
added("a function whose closures are held comes from another module", apart("import {x} from './u.mjs'; import {y} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>null", "export const x=1", "export const y=1"), apart("import {x,g} from './u.mjs'; import {y} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>g()", "export const x=1; export function g(){return ()=>1}", "export const y=1"), apart("import {x} from './u.mjs'; import {y,g} from './v.mjs'; export const xy=()=>[x,y]; export const make=()=>g()", "export const x=1", "export const y=1; export function g(){return ()=>2}"));
added("a function whose closures are held changes", nothing, "function g(){return ()=>1} export const make=()=>g()", "function g(){return ()=>2} export const make=()=>g()");
added("a class with instances comes under another name", nothing, "class K{v(){return 1}} const mk=()=>new K(); export const make=()=>{const k=mk(); return k.v.bind(k)}", "class Q{v(){return 2}} const mk=()=>new Q(); export const make=()=>{const k=mk(); return k.v.bind(k)}");
added("a table whose function is held comes under another name", nothing, "const T={v(){return 1}}; export const make=()=>T.v", "const Q={v(){return 2}}; export const make=()=>Q.v");
added("a method that is held comes under another name", "export class C{} const c=new C(); export const make=()=>null", "export class C{v(){return 1}} const c=new C(); export const make=()=>c.v", "export class C{w(){return 2}} const c=new C(); export const make=()=>c.w");
added("a function that is only called comes under another name", "export const make=()=>()=>0; export const z=()=>0", "function g(){return 1} export const make=()=>()=>0; export const z=()=>g()", "function h(){return 2} export const make=()=>()=>0; export const z=()=>h()", { isThirdRefused: false });
add("added, then: a counter comes under another name", "export const f=()=>0", "let n=0; export const f=()=>++n", (m) => m.f(), { between: (m) => void m.f(), oneWay: true, third: "let k=0; export const f=()=>++k", isThirdRefused: true });
add("added, then: a counter goes on beside another change", "export const f=()=>0; export const z=()=>0", "let n=0; export const f=()=>++n; export const z=()=>1", (m) => [m.f(), m.z()], { between: (m) => void m.f(), oneWay: true, third: "let n=0; export const f=()=>++n; export const z=()=>2" });
