// What is computed once and kept, in all the ways that people write: what was kept before a swap would go on after it.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const warm = { setup: async (m) => void (await m.f()), rung: "replace" };

/** `g` gives what is kept; nothing calls it before the first `f()`. */
function keeps(name, code) {
  const text = (value) => `function g(x){return ${value}+(x??0)} ${code}`;
  add(name, text(1), text(2), (m) => m.f(), warm);
}

keeps("a getter that defines a property in its place", "class C{get x(){const v=g(); Object.defineProperty(this,'x',{value:v}); return v}} const c=new C(); export const f=()=>c.x");
keeps("a getter that defines its object's property by name", "const o={get x(){const value=g(); Object.defineProperty(o,'x',{value}); return value}}; export const f=()=>o.x");
keeps("a getter that is deleted and assigned", "const o={get x(){delete this.x; return this.x=g()}}; export const f=()=>o.x");
keeps("a value found or built, then put back", "const c=new Map(); export const f=(k=0)=>{const v=c.get(k)??g(k); c.set(k,v); return v}");
keeps("a value found or built, then assigned", "let c; export const f=()=>{const v=c||g(); c=v; return v}");
keeps("a table asked with hasOwn", "const c={}; export const f=(k=0)=>{if(Object.hasOwn(c,k)) return c[k]; return c[k]=g(k)}");
keeps("a table asked with hasOwn whether it lacks something", "const c={}; export const f=(k=0)=>{if(!Object.hasOwn(c,k)) c[k]=g(k); return c[k]}");
keeps("a table asked with hasOwnProperty", "const c={}; export const f=(k=0)=>{if(!c.hasOwnProperty(k)) c[k]=g(k); return c[k]}");
keeps("a table asked with a borrowed hasOwnProperty", "const c={}; export const f=(k=0)=>{if(!Object.prototype.hasOwnProperty.call(c,k)) c[k]=g(k); return c[k]}");
keeps("undefined compared from the left", "let c; export const f=()=>{if(undefined===c) c=g(); return c}");
keeps("null compared from the left", "let c=null; export const f=()=>{if(null==c) c=g(); return c}");
keeps("a type compared from the left", "let c; export const f=()=>{if('undefined'===typeof c) c=g(); return c}");
keeps("a comparison with void 0", "let c; export const f=()=>{if(c===void 0) c=g(); return c}");
keeps("what tsc makes of ??= on a property", "const o={}; export const f=()=>{ var _a; return (_a = o.c) !== null && _a !== void 0 ? _a : (o.c = g()); }");
keeps("a set-up that returns at once when it was done", "let ready=false,c; function init(){if(ready) return; ready=true; c=g()} export const f=()=>{init(); return c}");
keeps("a set-up in a function that is called if need be", "let c; function init(){c=g()} export const f=()=>{if(!c) init(); return c}");
keeps("a set-up called by ||", "let c,ready=false; function init(){ready=true; c=g()} export const f=()=>{ready||init(); return c}");
keeps("a set-up in a method that is called if need be", "class C{#c; init(){this.#c=g()} get(){if(!this.#c) this.init(); return this.#c}} const c=new C(); export const f=()=>c.get()");
keeps("a count of calls in the test", "let c,n=0; export const f=()=>{if(n++===0) c=g(); return c}");
keeps("a count of calls", "let c,n=0; export const f=()=>{if(n===0){n=1; c=g()} return c}");
keeps("a size below one", "const c=new Map(); export const f=()=>{if(c.size<1) c.set(0,g()); return c.get(0)}");
keeps("a length that is not above zero", "const c=[]; export const f=()=>{if(!(c.length>0)) c.push(g()); return c[0]}");
keeps("a length, or a push", "const c=[]; export const f=()=>{c.length||c.push(g()); return c[0]}");
keeps("a list that is filled by splice", "const o=[]; export const f=()=>{if(!o.length) o.splice(0,0,g()); return o[0]}");
keeps("a look that fails, and what is made then", "const c={}; export const f=()=>{try{return c.a.b}catch{c.a={b:g()}; return c.a.b}}");
keeps("a for loop until something is there", "let c; export const f=()=>{for(;!c;) c=g(); return c}");
keeps("a do loop until something is there", "let c; export const f=()=>{do{ if(c) break; c=g() }while(!c); return c}");
keeps("a table of the app, reached by a request", "const app={locals:{}}; export const f=()=>h({app}); function h(req){if(!req.app.locals.t) req.app.locals.t=g(); return req.app.locals.t}");
keeps("a function that replaces itself", "let h=()=>{const v=g(); h=()=>v; return v}; export const f=()=>h()");
keeps("a look that found nothing, by a name of its own", "const c=new WeakMap(),k={}; export const f=()=>{const hit=c.get(k); if(hit===undefined){const v=g(); c.set(k,v); return v} return hit}");
keeps("a property given by Object.assign", "const o={}; export const f=()=>{if(!o.c) Object.assign(o,{c:g()}); return o.c}");
keeps("a value taken out of an object", "let c; export const f=()=>{if(!c) ({c}={c:g()}); return c}");
keeps("a value taken out of a list", "let c; export const f=()=>{if(!c) [c]=[g()]; return c}");
keeps("a test by Boolean", "let c; export const f=()=>{if(!Boolean(c)) c=g(); return c}");
keeps("a test by isArray", "let c; export const f=()=>{if(!Array.isArray(c)) c=[g()]; return c}");
keeps("a test by instanceof", "let c; export const f=()=>{if(!(c instanceof Map)) c=new Map([[0,g()]]); return c.get(0)}");
keeps("a test by another type", "let c; export const f=()=>{if(typeof c!=='number') c=g(); return c}");
keeps("a choice assigned to what it asks for", "let c; export const f=()=>{c = c!==undefined ? c : g(); return c}");
keeps("a look and a put of one's own", "const c=new Map(); const hit=(k)=>c.get(k); const put=(k,v)=>{c.set(k,v); return v}; export const f=(k=0)=>hit(k)??put(k,g(k))");
keeps("a cache that is handed what builds", "class Cache{m=new Map(); wrap(k,h){if(this.m.has(k)) return this.m.get(k); const v=h(); this.m.set(k,v); return v}} const c=new Cache(); export const f=()=>c.wrap(0,()=>g())");
keeps("a cache that is handed on what builds", "class Cache{m={}; wrap(k,h){const v=this.m[k]; if(v!==undefined) return v; return this.m[k]=h()}} const c=new Cache(); const via=(k,h)=>c.wrap(k,h); export const f=()=>via(0,()=>g())");

keeps("a store of one's own, asked with has", "class L{m=new Map(); has(k){return this.m.has(k)} get(k){return this.m.get(k)} remember(k,v){this.m.set(k,v); return this}} const c=new L(); export const f=(k=0)=>{if(!c.has(k)) c.remember(k,g(k)); return c.get(k)}");
keeps("a store of one's own, asked with get", "class L{m=new Map(); get(k){return this.m.get(k)} put(k,v){this.m.set(k,v); return v}} const c=new L(); export const f=(k=0)=>c.get(k)||c.put(k,g(k))");

// What is put somewhere whatever is there is no memo, nor what ends with its request.
add("a value that is put anew at each call", "function g(){return 1} let last; export const f=()=>{last=g(); return last}", "function g(){return 2} let last; export const f=()=>{last=g(); return last}", (m) => m.f(), { setup: (m) => void m.f(), rung: "patch" });
add("a value kept in the request", "function g(){return 1} function h(req){if(!req.user) req.user=g(); return req.user} export const f=()=>h({})", "function g(){return 2} function h(req){if(!req.user) req.user=g(); return req.user} export const f=()=>h({})", (m) => m.f(), { setup: (m) => void m.f(), rung: "patch" });

// What is kept depends on what the function's locals were given, too.
for (const [what, body] of [
  ["a local", "const k=LIMIT; cache??={v:k}; return cache.v"],
  ["a local, behind a condition", "const k=LIMIT; if(!cache) cache=String(k); return cache"],
  ["a local that another one is made of", "const o={k:LIMIT}; const p=o.k; cache??={v:p}; return cache.v"],
  ["a local that is given something else later", "let k=LIMIT; if(!cache){k=k+0; cache=k} return cache"],
  ["a local that is taken out of an object", "const {k}={k:LIMIT}; return cache??=k"],
  ["a local that is taken out of a list", "const [k]=[LIMIT]; return cache??=k"],
  ["a function in it", "function g(){return LIMIT} return cache??=g()"],
  ["a local, in a promise", "const k=LIMIT; cache??=new Promise((go)=>{go(k)}); return cache"],
]) add(`what is kept is made of ${what}`, ...[1, 2].map((value) => `let cache; export function f(){${body.replace("LIMIT", String(value))}}`), (m) => m.f(), warm);
add("what is kept is made of a parameter's default", ...[1, 2].map((value) => `let cache; export function f(k=${value}){return cache??=k}`), (m) => m.f(), warm);
add("what is kept is not made of a local that changed", "let cache; export function f(){const k=1; cache??={v:3}; return [cache.v,k]}", "let cache; export function f(){const k=2; cache??={v:3}; return [cache.v,k]}", (m) => m.f(), { setup: (m) => void m.f(), rung: "patch" });
