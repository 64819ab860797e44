// Functions of every kind, and their parameters.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

add("function declaration, extra arguments", "export function f(a){return 1+a}", "export function f(a,b,c=3){return a+b*10+c*100+arguments.length}", (m) => [m.f(1, 2), m.f.name], { rung: "patch" });
add("default and destructured parameters whose old shape would throw", "export function f({a:{b}}, c = b + 1){return [b,c]}", "export function f({z}, c = z * 2, ...r){return [z,c,r]}", (m) => [m.f({ z: 4, a: { b: 1 } }), m.f({ z: 4, a: { b: 2 } }, 1, 2, 3)], { rung: "patch" });
add("dead zone between parameters", "export function f(a = b, b){return 1}", "export function f(a = b, b){return 2}", (m) => m.f());
add("async function", "export async function f(x){await null; return x}", 'export async function f(x){await null; if(x) throw new Error("n"); return "b"}', async (m) => [await m.f(0), await m.f(1).catch((e) => e.message)]);
add("async function that is no longer async", "export async function f(x){return x}", "export function f(x){return x+1}", (m) => typeof m.f(1), replace);
add("generator: values, return and throw", "export function* f(x){yield x}", 'export function* f(x,y){try{const r=yield x; yield [r,y]}finally{yield "fin"}}', (m) => { const g = m.f(1, 2); const h = m.f(3, 4); return [g.next(), g.next("s"), g.return(9), g.next(), h.next(), (() => { try { return h.throw(new Error("q")); } catch (e) { return e.message; } })()]; });
add("generator with parameters that have effects", "let k=0;export const n=()=>k;export function* f(x=k++){yield x}", "let k=0;export const n=()=>k;export function* f(x=(k+=10)){yield x}", (m) => [[...m.f()], m.n()], replace);
add("async generator", "export async function* f(x){yield x}", "export async function* f(x,y){yield x; const r = yield Promise.resolve(y); return r}", async (m) => { const g = m.f(1, 2); return [await g.next(), await g.next(), await g.next(7), await g.next()]; });
add("arrows: expression, object, async, defaults", "export const f=x=>x+1; export const o=(a,)=>({a}); export const g=async(x=1)=>x; export const h=({q}={q:1},z=q)=>q+z", "export const f=(x,y)=>x+y; export const o=(a,b)=>({a,b}); export const g=async(x=2,y)=>[x,y]; export const h=({w}={w:1},z=5)=>w+z", async (m) => [m.f(1, 2), m.o(1, 2), await m.g(undefined, 3), m.h({ w: 1, q: 2 })]);
add("arrow whose rest begins below the old arity", "export const f=(a,b)=>a", "export const f=(a,...r)=>r.length", (m) => m.f(1), replace);
add("anonymous default, named expression", "export default function(a){return a}; export const f=function g(n){return n?g(n-1)+1:0}", "export default function(a,b){return [a,b]}; export const f=function g(n){return n?g(n-1)+2:0}", (m) => [m.default(1, 2), m.default.name, m.f(3)]);
add("default arrow", "export default (a) => a", "export default (a) => [a]", (m) => [m.default(1), m.default.name]);
add("function used with new; new.target; own properties", "export function F(a){return Object.setPrototypeOf({a},F.prototype)} export function G(){return new.target===G} export function me(){return me===me.self}", "export function F(a,b){return Object.setPrototypeOf({a:a+b},F.prototype)} export function G(){return [new.target===G]} export function me(){return [me===me.self]}", (m) => { m.me.self = m.me; return [new m.F(1, 2).a, new m.F(1, 1) instanceof m.F, new m.G(), m.G(), m.me()]; });
