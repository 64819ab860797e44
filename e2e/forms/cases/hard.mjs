// What is hard on a live change, entry by entry: each names the cases that prove it, here or in the other files.
import { collectCases } from "./collect.mjs";

export const { cases, add: addCase } = collectCases();
const add = (name, a, b, probe, more) => addCase(`hard: ${name}`, a, b, probe, more);
const two = (name, text, probe, more) => {
  const side = (n) => (typeof text === "string" ? text.replaceAll("MADE", n) : Object.fromEntries(Object.entries(text).map(([file, one]) => [file, one.replaceAll("MADE", n)])));
  add(name, side("1"), side("2"), probe, more);
};

two("WeakMap privates", "const p=new WeakMap(); export class C{constructor(){p.set(this,{n:5})} get(){return [p.get(this).n,MADE]}}", (m,s)=>s.get(), { setup: (m)=>new m.C(), rung: "patch" });
two("symbol private", "const S=Symbol('s'); export class C{constructor(){this[S]=5} get(){return [this[S],MADE]}}", (m,s)=>s.get(), { setup: (m)=>new m.C(), rung: "patch" });
two("TLA module", "const v=await Promise.resolve(3); export const f=()=>[v,MADE]", (m)=>m.f(), { rung: "patch" });
two("import.meta in function", "export const f=()=>[typeof import.meta.url, MADE]", (m)=>m.f(), { rung: "patch" });
two("import.meta.dirname resolve", "export const f=()=>[typeof import.meta.resolve, MADE]", (m)=>m.f(), { rung: "patch" });
two("dynamic import in function", { "m.mjs": "export const f=async()=>[(await import('./t.mjs')).g(), MADE]", "t.mjs": "export const g=()=>7" }, (m)=>m.f(), { rung: "patch" });
two("live binding", { "m.mjs": "import {n,up} from './t.mjs'; export const f=()=>{up(); return [n,MADE]}", "t.mjs": "export let n=0; export const up=()=>{n++}" }, (m)=>m.f(), { rung: "patch" });
two("live binding changed function", { "m.mjs": "import {n,up} from './t.mjs'; export const f=()=>{up(); return n}", "t.mjs": "export let n=0; export const up=()=>{n+=MADE}" }, (m)=>m.f(), { rung: "patch" });
two("export star conflict", { "m.mjs": "export * from './a.mjs'; export * from './b.mjs'; export const f=()=>MADE", "a.mjs":"export const x=1", "b.mjs":"export const y=2" }, (m)=>[m.f(),m.x,m.y], { rung: "patch" });
two("this at top of cjs", { "m.cjs": "const self=this; exports.f=()=>[self===module.exports, MADE]" }, (m)=>m.f(), { rung: "patch" });
two("instanceof over update", "export class A{m(){return MADE}} export class B extends A{m(){return [super.m()]}}", (m,s)=>[s.m(), s instanceof m.B, s instanceof m.A, new m.B() instanceof m.A], { setup: (m)=>new m.B(), rung: "patch" });
two("bound this", "export const o={n:1,f(){return [this.n,MADE]}}; const b=o.f.bind(o); export const g=()=>b()", (m)=>m.g(), { rung: "patch" });
two("async generator held", "export async function* f(){yield MADE}", async (m,s)=>[await s().next()], { setup: (m)=>m.f, rung: "patch" });
two("recursion via name inside expr", "export const f=function r(n){return n?r(n-1)+MADE:0}", (m)=>m.f(3), { rung: "patch" });
two("sloppy this boxed", { "m.cjs": "exports.f=function(){return [typeof this, MADE]}" }, (m)=>m.f.call("x"), { rung: "patch" });
two("sloppy arguments.callee", { "m.cjs": "exports.f=function(n){return n?arguments.callee(n-1)+MADE:0}" }, (m)=>m.f(3), { rung: "patch" });
two("sloppy caller func decl hoist", { "m.cjs": "exports.f=function(){ return g(); function g(){return MADE} }" }, (m)=>m.f(), { rung: "patch" });
two("function toString compare", "export function f(){return MADE} export const s=()=>f.toString().includes('return')", (m)=>[m.f(),m.s()], { rung: "patch" });
two("new.target in class method via Reflect.construct", "export class C{constructor(){this.t=new.target.name} g(){return [this.t,MADE]}} export class D extends C{}", (m,s)=>s.g(), { setup: (m)=>new m.D(), rung: "patch" });
two("derived ctor default", "class P{constructor(){this.a=1}} export class C extends P{g(){return [this.a,MADE]}}", (m,s)=>s.g(), { setup: (m)=>new m.C(), rung: "patch" });
two("extends null", "export class C extends null{static s(){return MADE}}", (m)=>m.C.s(), { rung: "patch" });
two("extends builtin", "export class L extends Array{sum(){return [this.length,MADE]}}", (m,s)=>[s.sum(), s.map((x)=>x) instanceof m.L], { setup: (m)=>m.L.of(1,2), rung: "patch" });
two("error subclass", "export class E extends Error{get name(){return 'E'+MADE}}", (m)=>{ try{ throw new m.E('x') }catch(e){ return String(e) } }, { rung: "patch" });
two("thenable", "export class T{then(r){r(MADE)}}", async (m)=>await new m.T(), { rung: "replace" });
two("getter on static", "export class C{static get x(){return MADE}}", (m)=>m.C.x, { rung: "patch" });
two("accessor by string name", "export class C{get 'a-b'(){return MADE}}", (m,s)=>s["a-b"], { setup: (m)=>new m.C(), rung: "patch" });
two("numeric method name", "export class C{1(){return MADE}}", (m,s)=>s[1](), { setup: (m)=>new m.C(), rung: "patch" });
two("method named constructor static", "export class C{static constructor(){return MADE}}", (m)=>m.C.constructor(), { rung: "patch" });
two("__proto__ method", "export class C{__proto__(){return MADE}}", (m,s)=>s.__proto__(), { setup: (m)=>new m.C(), rung: "patch" });
two("object __proto__: null", "export const o={__proto__:null,f(){return MADE}}", (m)=>m.o.f(), { rung: "patch" });
two("async arrow in class field", "export class C{f=async()=>MADE}", async (m,s)=>await s.f(), { setup: (m)=>new m.C(), rung: "replace" });
two("private in check", "export class C{#x=1; static is(o){return [#x in o,MADE]}}", (m,s)=>m.C.is(s), { setup: (m)=>new m.C(), rung: "patch" });
two("optional chaining private", "export class C{#x=1; g(o){return [o?.#x,MADE]}}", (m,s)=>s.g(s), { setup: (m)=>new m.C(), rung: "patch" });
two("label and continue in generator", "export function* g(){a: for(const x of [1,2]){ for(;;){ yield x+MADE; continue a } }}", (m)=>[...m.g()], { rung: "replace" });
two("tagged template identity", "const tag=(s)=>s; export const f=()=>{const t=()=>tag`x`; return [t()===t(),MADE]}", (m)=>m.f(), { rung: "patch" });
two("tagged template raw", "export const f=()=>String.raw`\\n${MADE}`", (m)=>m.f(), { rung: "patch" });
two("nullish assign on param", "export const f=(a)=>{a??=MADE; return a}", (m)=>m.f(), { rung: "patch" });
two("destructuring default calls", "const d=()=>MADE; export const f=({x=d()}={})=>x", (m)=>m.f(), { rung: "patch" });
two("function in default param of method", "export class C{m(f=()=>MADE){return f()}}", (m,s)=>s.m(), { setup: (m)=>new m.C(), rung: "patch" });
two("closure over loop var via IIFE", "export const fs=()=>{const l=[]; for(let i=0;i<2;i++) ((j)=>l.push(()=>j+MADE))(i); return l.map((f)=>f())}", (m)=>m.fs(), { rung: "patch" });
two("var hoisting closure", "export function make(){ var f=()=>x+MADE; var x=1; return f }", (m,s)=>s(), { setup: (m)=>m.make(), rung: "patch" });
two("event listener class with handleEvent", "export class L{handleEvent(e){this.n=MADE}} export const t=new EventTarget(); export const l=new L(); export const start=()=>t.addEventListener('x',l); export const run=()=>{t.dispatchEvent(new Event('x')); return l.n}", (m)=>m.run(), { setup: (m)=>m.start(), rung: "replace" });
two("timer promise", "import {setTimeout as wait} from 'node:timers/promises'; export const f=async()=>{await wait(1); return MADE}", (m)=>m.f(), { rung: "patch" });
two("exports alias", { "m.cjs": "var e=module.exports; e.f=function(){return MADE}" }, (m)=>m.f(), { rung: "patch" });
two("exports reassign", { "m.cjs": "exports=module.exports={f(){return MADE}}" }, (m)=>m.f(), { rung: "patch" });
two("require renamed var", { "m.cjs": "const r=require; const t=r('./t.cjs'); exports.f=()=>t.g()", "t.cjs": "exports.g=()=>MADE" }, (m)=>m.f(), { rung: "patch" });
two("createRequire", { "m.mjs": "import {createRequire} from 'node:module'; const require=createRequire(import.meta.url); const t=require('./t.cjs'); export const f=()=>t.g()", "t.cjs": "exports.g=()=>MADE" }, (m)=>m.f(), { rung: "patch" });
two("global name shadow added param", "export const f=(fetch)=>[typeof fetch,MADE]", (m)=>m.f(1), { rung: "patch" });
add("added local var shadows module", "const x=1; export const f=()=>x", "const x=1; export const f=()=>{ const x=2; return x }", (m)=>m.f(), { rung: "patch" });
add("added var in function hoists over outer", "const x=1; export const f=()=>x", "const x=1; export const f=()=>{ const y=typeof x; { var x=2 } return [y,x] }", (m)=>m.f(), { rung: "patch" });
add("undefined shadowed", "export const f=()=>undefined", "export const f=(undefined)=>[undefined]", (m)=>m.f(3), { rung: "patch" });
add("async to sync with returned promise", "export const f=async()=>1", "export const f=()=>Promise.resolve(2)", (m)=>m.f(), { rung: "replace" });
add("sync to async", "export const f=()=>Promise.resolve(1)", "export const f=async()=>2", (m)=>m.f(), { rung: "patch" });
add("function to generator", "export function f(){return [1][Symbol.iterator]()}", "export function* f(){yield 2}", (m)=>[...m.f()], { rung: "replace" });
add("getter to method", "export class C{get x(){return 1}}", "export class C{x(){return 2}}", (m,s)=>typeof s.x, { setup: (m)=>new m.C(), rung: "replace" });
add("method to getter", "export class C{x(){return 1}}", "export class C{get x(){return 2}}", (m,s)=>typeof s.x, { setup: (m)=>new m.C(), rung: "replace" });
add("static to instance", "export class C{static x(){return 1}}", "export class C{x(){return 2}}", (m,s)=>[typeof m.C.x, s.x?.()], { setup: (m)=>new m.C(), rung: "redefine" });
add("public to private", "export class C{x(){return 1} g(){return this.x()}}", "export class C{#x(){return 2} g(){return this.#x()}}", (m,s)=>s.g(), { setup: (m)=>new m.C(), rung: "replace" });
add("duplicate method names", "export class C{x(){return 1} x(){return 2}}", "export class C{x(){return 3} x(){return 4}}", (m,s)=>s.x(), { setup: (m)=>new m.C(), rung: "patch" });
add("duplicate function names sloppy", { "m.cjs": "function f(){return 1} function f(){return 2} exports.g=()=>f()" }, { "m.cjs": "function f(){return 3} function f(){return 4} exports.g=()=>f()" }, (m)=>m.g(), { rung: "patch" });
add("duplicate keys in object", "export const o={a(){return 1},a(){return 2}}; export const g=()=>o.a()", "export const o={a(){return 3},a(){return 4}}; export const g=()=>o.a()", (m)=>m.g(), { rung: "patch" });
add("methods swapped order", "export class C{a(){return 1} b(){return 2}}", "export class C{b(){return 2} a(){return 1}}", (m,s)=>[s.a(),s.b()], { setup: (m)=>new m.C(), rung: "patch" });
add("const let swap order TDZ", "const a=1; const b=a+1; export const f=()=>b", "const a=2; const b=a+1; export const f=()=>b", (m)=>m.f(), { rung: "redefine" });
add("two closures swap places", "export function make(reg){ reg('a',()=>1); reg('b',()=>2) }", "export function make(reg){ reg('b',()=>2); reg('a',()=>3) }", (m,s)=>s.map(([k,f])=>[k,f()]), { setup: (m)=>{const l=[]; m.make((k,f)=>l.push([k,f])); return l}, rung: "replace" });
add("same label closures one inserted before", "export function make(reg){ reg(()=>1) }", "export function make(reg){ reg(()=>0); reg(()=>1) }", (m,s)=>s.map((f)=>f()), { setup: (m)=>{const l=[]; m.make((f)=>l.push(f)); return l}, rung: "replace" });
add("same label closures one removed before", "export function make(reg){ reg(()=>1); reg(()=>2) }", "export function make(reg){ reg(()=>2) }", (m,s)=>s.map((f)=>f()), { setup: (m)=>{const l=[]; m.make((f)=>l.push(f)); return l}, rung: "replace" });
add("region closures one inserted before at top", "const l=[]; const reg=(f)=>l.push(f); reg(()=>1); export const run=()=>l.map((f)=>f())", "const l=[]; const reg=(f)=>l.push(f); reg(()=>0); reg(()=>1); export const run=()=>l.map((f)=>f())", (m)=>m.run(), { rung: "replace" });

/** By entry, the names of its cases; a test finds them all. */
export const entries = {
  "module tables": ["table: read only", "table that holds state", "table: handed to a function that changes what it gets"],
  "initialisers: const, regular expressions, maps": ["constants through re-export and export *, and what is computed from them", "value: a regular expression that goes on", "value: a regular expression that always begins anew", "table: a map that is set"],
  "a variable that was assigned": ["reassigned let whose first value changed", "a counter renamed"],
  "a function that ran at the start, and whose result is kept": ["function that ran at start-up and whose result is kept", "ran at the start: called by name", "called at start: Symbol.iterator of an object", "computed once and kept: by ??="],
  "default and anonymous exports": ["anonymous default, named expression", "default arrow", "reflection: a default export that nobody can be asked for"],
  "require taken apart": ["sloppy CommonJS: this, arguments, destructured require, exports", "hard: require renamed var", "hard: createRequire"],
  "re-exports, export *, live bindings, cycles": ["export stands for another function through a re-export", "hard: export star conflict", "hard: live binding changed function", "a cycle of modules, both changed"],
  "namespaces that escape": ["namespace import that would see a changed constant", "import, export and import() added"],
  "a global's name shadowed by an addition": ["added function that shadows a global", "removed function whose name means a global", "hard: undefined shadowed"],
  "top-level await, import.meta, import()": ["hard: TLA module", "hard: import.meta in function", "hard: dynamic import in function"],
  "instanceof over an update, prototypes": ["hard: instanceof over update", "CommonJS prototype methods", "hard: extends builtin", "hard: extends null"],
  "getters and setters": ["methods, accessors, static, generators", "accessors added, both halves", "member removed: both halves of an accessor", "hard: getter to method"],
  "private names": ["private methods, fields, accessors, static private", "private method added", "hard: public to private", "hard: private in check"],
  "static blocks, fields, constructors": ["static block changed", "field initialiser changed", "constructor changed", "a constructor function", "a method that the constructor calls"],
  "derived classes, new.target": ["super in method, static and accessor", "hard: derived ctor default", "new.target in a function and an arrow in it", "hard: new.target in class method via Reflect.construct"],
  "decorators' output": ["ran at the start: by a decorator that TypeScript wrote"],
  "symbols, WeakMap privates": ["hard: symbol private", "hard: WeakMap privates"],
  "bound functions, listeners and timers that hold old functions": ["bound function, listener and promise holding the old function", "interval made before the swap runs the new body", "goes: a listener with its registration", "hard: event listener class with handleEvent"],
  "closures made before": ["closure made before: reads what nothing captured, writes what it captured", "text around a closure changed", "hard: same label closures one inserted before", "a function handed to an own map that keeps it"],
  "async functions and generators that are suspended": ["an async function suspended over the swap calls the new code", "a generator suspended over the swap", "an async generator suspended over the swap"],
  "recursion on the stack": ["recursion that is on the stack", "hard: recursion via name inside expr"],
  "default parameters, arity, arguments": ["default and destructured parameters whose old shape would throw", "reflection: a function with more parameters", "reflection: a handler of an error, in its own list", "arguments that alias parameters", "hard: sloppy arguments.callee"],
  "this at the top level, strict and sloppy": ["hard: this at top of cjs", "hard: sloppy this boxed", "directives in functions and units", "labels, with and sloppy functions in blocks"],
  "functions that are turned into text": ["function turned into text and run elsewhere", "hard: function toString compare"],
  "members and functions that go": ["member removed: a method, looked for in every way", "goes: a function that is held, and comes under another name", "goes: a method that is held"],
  "code that is run as text": ["direct eval", "called at start: a text that is made up and run"],
  "data files": ["a JSON file that was read changed"],
  "what bundlers and compilers make": ["what tsc makes of a module", "what esbuild makes of a module", "what rollup makes of two modules", "minified code"],
};
