// Classes and object literals.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

add("methods, accessors, static, generators", 'export class C{ m(a){return a} get x(){return 1} set x(v){this.v=v} static s(){return 1} async am(){return 1} *gm(){yield 1} }', 'export class C{ m(a,b){return [a,b,this.x]} get x(){return 2} set x(v){this.v=v*2} static s(){return [2,this===C]} async am(){return 2} *gm(){yield 2;yield this.x} }', async (m, s) => { s.x = 4; return [s.m(1, 2), s.x, s.v, m.C.s(), await s.am(), [...s.gm()]]; }, { setup: (m) => new m.C(), rung: "patch" });
add("computed method names", 'const K="k";export class C{ [K](){return 1} [Symbol.iterator]=null }', 'const K="k";export class C{ [K](){return 2} [Symbol.iterator]=null }', (m, s) => s.k(), { setup: (m) => new m.C() });
add("private methods, fields, accessors, static private", "export class C{ #f=1; static #s=2; #p(){return this.#f} get #g(){return 3} static #sp(){return C.#s} t(){return [this.#p(),this.#g,C.#sp()]} }", "export class C{ #f=1; static #s=2; #p(){return [this.#f++]} get #g(){return 4} static #sp(){return [C.#s]} t(){return [this.#p(),this.#g,C.#sp(), #f in this]} }", (m, s) => [s.t(), s.t()], { setup: (m) => new m.C() });
add("super in method, static and accessor", 'class P{m(){return "p"} static s(){return "ps"} get a(){return 1}} export class C extends P{m(){return 1} static s(){return 1} get a(){return 0}}', 'class P{m(){return "p"+this.z} static s(){return "ps"} get a(){return 1}} export class C extends P{m(){return super.m()+2} static s(){return super.s()+2} get a(){return super.a+5}}', (m, s) => { s.z = 7; return [s.m(), m.C.s(), s.a]; }, { setup: (m) => new m.C() });
add("constructor changed", "export class C{constructor(a){this.a=a}}", "export class C{constructor(a){this.a=a;this.b=1}}", (m) => new m.C(1).b, replace);
add("constructor added", "class P{} export class C extends P{}", "class P{} export class C extends P{constructor(){super();this.a=1}}", () => 1, replace);
add("private method added", "export class C{m(){return 1}}", "export class C{#z(){return 2} m(){return this.#z()}}", () => 1, replace);
add("field initialiser changed", "export class C{x=1}", "export class C{x=2}", () => 1, replace);
add("static block changed", "export class C{static{C.q=1} m(){}}", "export class C{static{C.q=2} m(){}}", (m) => m.C.q, replace);
add("heritage changed", "class A{} class B{} export class C extends A{}", "class A{} class B{} export class C extends B{}", () => 1, replace);
add("methods added", 'export class C{a(){return 1}}', 'export class C{a(){return this.b()} b(){return "b"} static sb(){return "sb"} get g(){return 5}}', (m, s) => [s.a(), m.C.sb?.(), s.g], { setup: (m) => new m.C(), rung: "redefine", expectedBack: '[1,"sb",5]' });
add("methods added to a class with fields, around and between them", "export class C{ #f=1; x=2; a(){return this.#f} y=3; static z=[]; b(){return this.y} }", "export class C{ n0(){return 0} #f=1; x=2; a(){return [this.#f,this.n0(),this.n1()]} n1(){return this.x+this.#f} y=3; static z=[]; b(){return [this.y,this.n2()]} n2(){return C.z} }", (m, s) => [s.a(), s.b()], { setup: (m) => new m.C(), rung: "redefine" });
add("method removed, that something inherited would replace", "class P{m(){return 1}} export class C extends P{m(){return 2}}", "class P{m(){return 1}} export class C extends P{}", (m) => new m.C().m(), replace);
add("object literal methods, getters, nested, arrows", "export const o={m(){return 1}, get g(){return 1}, f:()=>1, n:{x(a){return a}}}; export const held=o.m", "export const o={m(){return 2}, get g(){return 2}, f:(a)=>a, n:{x(a,b){return [a,b]}}}; export const held=o.m", (m) => [m.o.m(), m.o.g, m.o.f(5), m.o.n.x(1, 2), m.held()]);
add("method of an instance made at start-up", "class S{v(){return 1} boot(){return this.v()}} const s=new S(); export const kept=s.boot(); export const f=()=>[kept,s.v()]", "class S{v(){return 2} boot(){return this.v()}} const s=new S(); export const kept=s.boot(); export const f=()=>[kept,s.v()]", (m) => m.f(), replace);
add("added arrow, class and default parameters that use them", "export function f(x=1){return x}", "const twice=(n)=>n*2; class Box{#v;constructor(v){this.#v=v} get v(){return this.#v}} export function f(x=twice(3)){return new Box(x).v}", (m) => [m.f(), m.f(4)], { rung: "redefine" });
add("accessor added where its other half exists", "export class C{get x(){return 1}}", "export class C{get x(){return 1} set x(v){}}", () => 1, replace);
