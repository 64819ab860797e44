// Tables, state in them, and names that change what they stand for.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

/** A table whose first value changes from 1 to 2; `code` may change it, `use()` is what the probe calls. */
const table = (how, code, more = {}) => {
  const side = (n) => (typeof code === "string" ? code.replaceAll("INIT", `{a:${n},b:0}`).replaceAll("LIST", `[{a:${n}},{a:0}]`) : Object.fromEntries(Object.entries(code).map(([path, text]) => [path, text.replaceAll("INIT", `{a:${n},b:0}`).replaceAll("LIST", `[{a:${n}},{a:0}]`)])));
  add(`table: ${how}`, side(1), side(2), (m) => m.use(), { setup: (m) => m.touch?.(), ...replace, ...more });
};

table("read only", "const T=INIT; export const use=()=>[T.a,Object.keys(T)]", { rung: "redefine" });
table("list read only", "const T=LIST; export const use=()=>T.find((t)=>t.a>0).a", { rung: "redefine" });
table("frozen", "const T=Object.freeze(INIT); export const use=()=>T.a", { rung: "redefine" });
table("answered to a client", "const T=LIST; export const use=()=>reply.send(T); const reply={send(x){return JSON.stringify(x)}}", { rung: "redefine" });
table("beside a web handler that sets its reply's status", "const T=INIT; export function handle(req,res){res.statusCode=T.a; req.user=T.b; return res.statusCode} export const use=()=>handle({},{})", { rung: "redefine" });
table("beside other objects that are changed", "const T=INIT; class S{n=0} const s=new S(); export function up(shop){shop.n+=1} export const use=()=>{const acc={}; acc[T.a]=1; up(s); return [acc,T.a]}", { rung: "redefine" });
table("assigned", "const T=INIT; export const touch=()=>{T.a=9}; export const use=()=>T.a");
table("a new property assigned", "const T=INIT; export const touch=()=>{T.hits=9}; export const use=()=>[T.a,T.hits]");
table("assigned by a computed name", "const T=INIT; const k='a'; export const touch=()=>{T[k]=9}; export const use=()=>T.a");
table("deleted from", "const T=INIT; export const touch=()=>{delete T.b}; export const use=()=>Object.keys(T)");
table("counted up", "const T=INIT; export const touch=()=>{T.a++}; export const use=()=>T.a");
table("assigned by destructuring", "const T=INIT; export const touch=()=>{({x:T.a}={x:9}); [T.b]=[8]}; export const use=()=>T");
table("a target of for-of", "const T=INIT; export const touch=()=>{for(T.a of [7]);}; export const use=()=>T");
table("under a second name", "const T=INIT; export const touch=()=>{const t=T; t.hits=9}; export const use=()=>[T.a,T.hits]");
table("a row under a name", "const T=LIST; export const touch=()=>{const row=T.find((t)=>t.a>0); row.hits=9}; export const use=()=>T");
table("a row of a loop", "const T=LIST; export const touch=()=>{for(const row of T) row.hits=9}; export const use=()=>T");
table("a row in a callback", "const T=LIST; export const touch=()=>{T.forEach((row)=>{row.hits=9})}; export const use=()=>T");
table("a row in a function of the unit", "const T=LIST; function bump(row){row.hits=9} export const touch=()=>bump(T[0]); export const use=()=>T");
table("a row in a function of another unit", { "m.mjs": "import {bump} from './b.mjs'; const T=LIST; export const touch=()=>bump(T[0]); export const use=()=>T", "b.mjs": "export function bump(row){row.hits=9}" });
table("a row that a function gave out", { "m.mjs": "import {find} from './b.mjs'; export const touch=()=>{const row=find(); row.hits=9}; export const use=()=>find()", "b.mjs": "const T=LIST; export const find=()=>T[0]" });
table("sorted in place", "const T=LIST; export const touch=()=>{T.sort((x,y)=>x.a-y.a)}; export const use=()=>T");
table("a copy sorted", "const T=LIST; export const use=()=>{const c=[...T]; c.sort((x,y)=>x.a-y.a); return c}", { rung: undefined });
table("pushed to through Array.prototype", "const T=LIST; export const touch=()=>{Array.prototype.push.call(T,{a:3})}; export const use=()=>T");
table("pushed to by a computed name", "const T=LIST; const k='push'; export const touch=()=>{T[k]({a:3})}; export const use=()=>T");
table("Object.assign", "const T=INIT; export const touch=()=>{Object.assign(T,{a:9})}; export const use=()=>T");
table("Reflect.set", "const T=INIT; export const touch=()=>{Reflect.set(T,'a',9)}; export const use=()=>T");
table("handed to a function that changes what it gets", { "m.mjs": "import {inc} from './b.mjs'; const T=INIT; export const touch=()=>inc(T,'a'); export const use=()=>T", "b.mjs": "export function inc(map,key){map[key]=(map[key]??0)+1}" });
table("handed to a method that changes what it gets", "class C{inc(map,key){map[key]=5}} const T=INIT; export const touch=()=>new C().inc(T,'a'); export const use=()=>T");
table("kept in an object and changed there", "const T=INIT; export const touch=()=>{const o={t:T}; o.t.hits=1}; export const use=()=>T");
table("changed by an importer", { "m.mjs": "import {T} from './b.mjs'; export const touch=()=>{T.hits=1}; export const use=()=>T", "b.mjs": "export const T=INIT" });
table("changed by an importer through a re-export under another name", { "m.mjs": "import {U} from './r.mjs'; export const touch=()=>{U.hits=1}; export const use=()=>U", "r.mjs": "export {T as U} from './b.mjs'", "b.mjs": "export const T=INIT" });
table("shadowed by a fresh one of the same name", "const T=INIT; export const touch=()=>{const row={}; [T].forEach((row)=>{row.hits=1})}; export const use=()=>T");
table("with functions, handed on", "const T={rate:INIT,get(){return this.rate.a}}; const kept=[]; export const touch=()=>{kept.push(T)}; export const use=()=>kept[0].get()");
table("with functions, called in place", "const T={rate:INIT,get(){return this.rate.a}}; export const use=()=>T.get()", { rung: "redefine" });
table("a map read only", "const T=new Map([['a',INIT]]); export const use=()=>T.get('a').a", { rung: "redefine" });
table("a map that is set", "const T=new Map([['a',INIT]]); export const touch=()=>{T.set('b',1)}; export const use=()=>T.size");
table("a row of a map changed", "const T=new Map([['a',INIT]]); export const touch=()=>{T.get('a').hits=1}; export const use=()=>T.get('a')");

const pair = (name, a, b, probe, more) => add(name, a, b, probe, more);
const t = (text) => ({ "m.mjs": "import {g} from './t.mjs'; export const f=()=>g()", "t.mjs": text });
pair("export stands for another function", t("function a(){return 1} function b(){return 2} export {a as g}"), t("function a(){return 1} function b(){return 2} export {b as g}"), (m) => m.f(), { rung: "redefine" });
pair("export stands for another function through a re-export", { ...t("export {a as g} from './u.mjs'"), "u.mjs": "export function a(){return 1} export function b(){return 2}" }, { ...t("export {b as g} from './u.mjs'"), "u.mjs": "export function a(){return 1} export function b(){return 2}" }, (m) => m.f());
pair("default export stands for another function", { "m.mjs": "import g from './t.mjs'; export const f=()=>g()", "t.mjs": "export default function a(){return 1}" }, { "m.mjs": "import g from './t.mjs'; export const f=()=>g()", "t.mjs": "export default function b(){return 2}" }, (m) => m.f());
pair("default export's object changed", { "m.mjs": "import g from './t.mjs'; export const f=()=>g.v", "t.mjs": "export default {v:1}" }, { "m.mjs": "import g from './t.mjs'; export const f=()=>g.v", "t.mjs": "export default {v:2}" }, (m) => m.f(), replace);
pair("import under the same name from elsewhere", { "m.mjs": "import {g} from './t.mjs'; import './u.mjs'; export const f=()=>g()", "t.mjs": "export function g(){return 1}", "u.mjs": "export function g(){return 2}" }, { "m.mjs": "import {g} from './u.mjs'; import './t.mjs'; export const f=()=>g()", "t.mjs": "export function g(){return 1}", "u.mjs": "export function g(){return 2}" }, (m) => m.f(), replace);
pair("import of another name", { "m.mjs": "import {a as g} from './t.mjs'; export const f=()=>g()", "t.mjs": "export function a(){return 1} export function b(){return 2}" }, { "m.mjs": "import {b as g} from './t.mjs'; export const f=()=>g()", "t.mjs": "export function a(){return 1} export function b(){return 2}" }, (m) => m.f(), { rung: "redefine" });
pair("a function moved to another unit", { "m.mjs": "import {g} from './t.mjs'; import {h} from './u.mjs'; export const f=()=>[g(),h()]", "t.mjs": "export function g(){return 1}", "u.mjs": "export function h(){return 3}" }, { "m.mjs": "import {g} from './t.mjs'; import {h} from './u.mjs'; export const f=()=>[g(),h()]", "t.mjs": "export {g} from './u.mjs'", "u.mjs": "export function h(){return 3} export function g(){return 1}" }, (m) => m.f(), { rung: "redefine" });
pair("a counter moved to another unit", { "m.mjs": "import {up} from './t.mjs'; export const f=()=>up()", "t.mjs": "let n=0; export function up(){return ++n}", "u.mjs": "export const x=1" }, { "m.mjs": "import {up} from './t.mjs'; export const f=()=>up()", "t.mjs": "export {up} from './u.mjs'", "u.mjs": "export const x=1; let n=0; export function up(){return ++n}" }, (m) => m.f(), { setup: (m) => void m.f(), ...replace });
pair("a counter renamed", "let n=0; export const f=()=>++n", "let count=0; export const f=()=>++count", (m) => m.f(), { setup: (m) => void m.f(), ...replace });
pair("a constant becomes a variable", "const n=1; export const f=()=>n", "let n=1; export const f=()=>n", (m) => m.f(), replace);
pair("a function becomes an arrow", "function g(){return 1} export const f=()=>g()", "const g=()=>2; export const f=()=>g()", (m) => m.f(), replace);
pair("order of modules with effects changed", { "m.mjs": "import {a} from './a.mjs'; import {b} from './b.mjs'; export const f=()=>globalThis.order.join()+a+b", "a.mjs": "globalThis.order=[...(globalThis.order??[]),'a'].slice(-2); export const a=1", "b.mjs": "globalThis.order=[...(globalThis.order??[]),'b'].slice(-2); export const b=1" }, { "m.mjs": "import {b} from './b.mjs'; import {a} from './a.mjs'; export const f=()=>globalThis.order.join()+a+b", "a.mjs": "globalThis.order=[...(globalThis.order??[]),'a'].slice(-2); export const a=1", "b.mjs": "globalThis.order=[...(globalThis.order??[]),'b'].slice(-2); export const b=1" }, (m) => m.f(), replace);
pair("import of a module with effects removed", { "m.mjs": "import {a} from './a.mjs'; export const f=()=>[typeof a, globalThis.mark??0]", "a.mjs": "globalThis.mark=1; export const a=1" }, { "m.mjs": "const a=1; export const f=()=>[typeof a, globalThis.mark??0]", "a.mjs": "globalThis.mark=1; export const a=1" }, (m) => m.f(), replace);
pair("an added table that holds state, changed again", "export const f=()=>0", "const seen=new Map([['a',1]]); export const f=()=>{seen.set('b',2); return seen.size}", (m) => m.f(), { oneWay: true });

const memo = (how, code, more = {}) => add(`computed once and kept: ${how}`, code.replaceAll("MADE", "1"), code.replaceAll("MADE", "2"), (m) => m.f(), { setup: (m) => m.f(), ...replace, ...more });
memo("by ??=", "let kept; function make(){return MADE} export const f=()=>kept??=make()");
memo("by ||= in a field", "class S{get(){return this.v||=make()}} const s=new S(); function make(){return MADE} export const f=()=>s.get()");
memo("by an if", "let kept=null; function make(){return inner()} function inner(){return MADE} export const f=()=>{if(!kept) kept=make(); return kept}");
memo("in a map", "const kept=new Map(); function make(){return MADE} export const f=()=>{if(!kept.has(1)) kept.set(1,make()); return kept.get(1)}");
memo("by an if that compares", "let kept; function make(){return MADE} export const f=()=>{if(kept===undefined){kept=make()} return kept}");
memo("in a variable of the call only", "function make(){return MADE} export const f=()=>{let kept; kept??=make(); return kept}", { rung: "patch" });
memo("by an if that takes it out of a map", "const kept=new Map(); function make(){return MADE} export const f=()=>{let v=kept.get(1); if(!kept.get(1)){kept.set(1,make())} return kept.get(1)}");
memo("not at all, where an if only answers", "const seen=new Set(); function make(){return MADE} export const f=(x)=>{if(!seen.has(x)) return make(); return 0}", { rung: "patch" });
memo("in a map, by way of a local", "const kept=new Map(); function make(){return MADE} export const f=()=>{let v=kept.get(1); if(v===undefined){v=make(); kept.set(1,v)} return v}");
