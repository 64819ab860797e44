// Constants that would be evaluated now, from what the process has changed since it started: each must be refused.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };
function refuse(name, a, b, setup) {
  add(name, a, b, (m) => m.f(), setup === undefined ? replace : { setup: (m) => { setup(m); }, ...replace });
}

refuse("a constant that reads a variable which was assigned since", "let n=0; export const up=()=>{n++}; const s=n+1; export const f=()=>s", "let n=0; export const up=()=>{n++}; const s=n+100; export const f=()=>s", (m) => m.up());
refuse("a new constant that reads a variable which was assigned since", "let n=0; export const up=()=>{n++}; export const f=()=>0", "let n=0; export const up=()=>{n++}; const s=n+100; export const f=()=>s", (m) => m.up());
refuse("a new constant that reads another module's variable", { "m.mjs": "import {up} from './t.mjs'; export {up}; export const f=()=>0", "t.mjs": "export let n=0; export const up=()=>{n++}" }, { "m.mjs": "import {n,up} from './t.mjs'; export {up}; const s=n+1; export const f=()=>s", "t.mjs": "export let n=0; export const up=()=>{n++}" }, (m) => m.up());
refuse("a constant that reads a table which was changed since", "const T={a:1}; export const set=(v)=>{T.a=v}; const s=T.a+1; export const f=()=>s", "const T={a:1}; export const set=(v)=>{T.a=v}; const s=T.a+100; export const f=()=>s", (m) => m.set(7));
refuse("a new constant that copies a list which was filled since", "const L=[]; export const set=(v)=>{L.push(v)}; export const f=()=>0", "const L=[]; export const set=(v)=>{L.push(v)}; const s=[...L]; export const f=()=>s", (m) => m.set(7));
refuse("a constant made of a generator that has run out", "function* g(){yield 1; yield 2} const it=g(); const s=new Set(it); export const f=()=>[...s]", "function* g(){yield 1; yield 2} const it=g(); const s=new Set([...it]); export const f=()=>[...s]");
refuse("a constant that reads a getter which counts", "let n=0; const o={get x(){return ++n}}; const s=o.x; export const f=()=>[s,n]", "let n=0; const o={get x(){return ++n}}; const s=o.x*10; export const f=()=>[s,n]");
refuse("a counting function that Array.from calls", "let n=0; const next=()=>++n; const ids=Array.from({length:2},next); export const f=()=>[ids,next()]", "let n=0; const next=()=>++n; const ids=Array.from({length:3},next); export const f=()=>[ids,next()]");
refuse("a class of the app's under the name of one of the language's", { "m.mjs": "import {Map,made} from './t.mjs'; const x=new Map([1]); export const f=()=>[x.l,made()]", "t.mjs": "let n=0; export const made=()=>n; export class Map{constructor(l){this.l=l; n++}}" }, { "m.mjs": "import {Map,made} from './t.mjs'; const x=new Map([2]); export const f=()=>[x.l,made()]", "t.mjs": "let n=0; export const made=()=>n; export class Map{constructor(l){this.l=l; n++}}" });
refuse("a new constant that makes a text of an object with code of its own", "let n=0; const up=()=>++n; export const f=()=>n", "let n=0; const up=()=>++n; const o={toString(){return String(up())}}; const s=`${o}`; export const f=()=>[s,n]");
add("a constant made of texts and of tables that nobody changes", "import {sep} from 'node:path'; const base=[sep].join(); const T={a:1}; let start=2; const s=`${base}${T.a+start}`; export const f=()=>s", "import {sep} from 'node:path'; const base=[sep].join(); const T={a:1}; let start=2; const s=`${base}/${T.a+start}`; export const f=()=>s", (m) => m.f(), { rung: "redefine" });
