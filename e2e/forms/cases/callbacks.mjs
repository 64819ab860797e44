// Functions that are handed on, to what has the name of something that uses them on the spot, or of something that keeps them.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

/** `code` hands a function with MADE in it to something; the probe runs what may have kept it. */
const handed = (name, code, more = {}) => {
  const side = (n) => (typeof code === "string" ? code.replaceAll("MADE", n) : Object.fromEntries(Object.entries(code).map(([path, text]) => [path, text.replaceAll("MADE", n)])));
  add(`a function handed to ${name}`, side("1"), side("2"), (m) => m.run(), { setup: (m) => m.init(), ...replace, ...more });
};

handed("an own map that keeps it", "class Box{map(f){this.f=f} get(){return this.f(1)}} const b=new Box(); export function init(){b.map((x)=>x+MADE)} export const run=()=>b.get()");
handed("an own forEach of an object that keeps it", "const hs=[]; const bus={forEach(f){hs.push(f)}}; export function init(){bus.forEach((x)=>x+MADE)} export const run=()=>hs.map((h)=>h(1))");
handed("an own then that keeps it", "class Lazy{then(f){this.f=f} go(){return this.f(1)}} const b=new Lazy(); export function init(){b.then((x)=>x+MADE)} export const run=()=>b.go()");
handed("an own sort that keeps it", "class L{sort(f){this.f=f; return this} go(){return this.f(1)}} const l=new L(); export function init(){l.sort((x)=>x+MADE)} export const run=()=>l.go()");
handed("an own map that keeps it, by way of a name", "class Box{map(f){this.f=f} get(){return this.f(1)}} const b=new Box(); export function init(){const cb=(x)=>x+MADE; b.map(cb)} export const run=()=>b.get()");
handed("an own function named map", "let kept; function map(f){kept=f} export function init(){map((x)=>x+MADE)} export const run=()=>kept(1)");
handed("an own map of another module, put in an object", { "m.mjs": "import {b,run} from './b.mjs'; export {run}; export function init(){b.map((x)=>x+MADE)}", "b.mjs": "let kept; const map=(f)=>{kept=f}; export const b={map}; export const run=()=>kept(1)" });
handed("an own map that is a generator", "class L{*map(f){for(;;) yield f(1)}} let it; export function init(){it=new L().map((x)=>x+MADE)} export const run=()=>it.next().value");
handed("an own map that calls it later", "class L{map(f){return ()=>f(1)}} let g; export function init(){g=new L().map((x)=>x+MADE)} export const run=()=>g()");
handed("an own map that only calls it", "class L{map(f){return [f(1)]}} export function init(){} export const run=()=>new L().map((x)=>x+MADE)", { rung: "patch" });
handed("map of a list, where the app has a map that keeps", "class Box{map(f){this.f=f}} export const b=new Box(); export function init(){} export const run=()=>[1].map((x)=>x+MADE)", { rung: "patch" });
handed("an own run that keeps it, whose surrounding text changed", "let kept; const db={run(f){kept=f}}; export function init(){const k=MADE; db.run((x)=>x+k)} export const run=()=>kept(1)");
handed("an own run that hands it to one which is done with it, whose surrounding text changed", "import {AsyncLocalStorage} from 'node:async_hooks'; const store=new AsyncLocalStorage(); const db={run(f){return store.run(1,f)}}; export function init(){} export const run=()=>{const k=MADE; return db.run(()=>k)}", { rung: "patch" });
