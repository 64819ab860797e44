// Objects that are alive: what constructors, and what they call, have given them.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

/** `code` with another value; the probe asks an instance made before and one made after. */
const two = (name, code, more = {}) => {
  const side = (n) => (typeof code === "string" ? code.replaceAll("MADE", n) : Object.fromEntries(Object.entries(code).map(([path, text]) => [path, text.replaceAll("MADE", n)])));
  add(name, side("1"), side("2"), (m, s) => [s.get(), m.make().get()], { setup: (m) => m.make(), ...replace, ...more });
};

two("a constructor function", "function F(){ this.a=MADE } F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a constructor function held by a constant", "const F=function(){ this.a=MADE }; F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a constructor function of CommonJS", { "m.cjs": "exports.Store=function(){ this.a=MADE }; exports.Store.prototype.get=function(){return this.a}; exports.make=()=>new exports.Store()" });
two("a constructor function that is a whole module", { "m.cjs": "const f=require('./t.cjs'); exports.make=()=>new f()", "t.cjs": "module.exports=function(){ this.a=MADE }; module.exports.prototype.get=function(){return this.a}" });
two("a constructor function in lower case, of another module", { "m.mjs": "import {f as maker} from './t.mjs'; export const make=()=>new maker()", "t.mjs": "export function f(){ this.a=MADE } f.prototype.get=function(){return this.a}" });
two("a constructor function in lower case, under a member's name", "const kinds={f:function(){ this.a=MADE }}; kinds.f.prototype.get=function(){return this.a}; export const make=()=>new kinds.f()");
two("a constructor function that another one calls", "function base(){ this.a=MADE } function F(){ base.call(this) } F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a constructor function that assigns by destructuring", "function F(){ [this.a]=[MADE] } F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a constructor function that hands its object to somebody", "function F(){ Object.assign(this,{a:MADE}) } F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a constructor function that reads a constant which changed", "const N=MADE; function F(){ this.a=N } F.prototype.get=function(){return this.a}; export const make=()=>new F()");
two("a method that the constructor calls", "class F{constructor(){this.init()} init(){this.a=MADE} get(){return this.a}} export const make=()=>new F()");
two("a method that a field's initialiser calls", "class F{ok=this.init(); init(){this.a=MADE; return 1} get(){return this.a}} export const make=()=>new F()");
two("a method that the constructor of the base class calls", "class P{constructor(){this.init()} init(){}} class F extends P{init(){this.a=MADE} get(){return this.a}} export const make=()=>new F()");
two("an inherited method that the constructor calls", "class P{init(){this.a=MADE}} class F extends P{constructor(){super(); super.init()} get(){return this.a}} export const make=()=>new F()");
two("a method that sets fields, and that no constructor calls", "class F{a=0; set(){this.a=MADE} get(){this.set(); return this.a}} export const make=()=>new F()", { rung: "patch" });
two("a function that gives nothing to the object it is called on", "function F(){ return Object.create(F.prototype) } F.prototype.get=function(){return MADE}; export const make=()=>new F()", { rung: "patch" });
two("a method of a prototype that sets what it has", "function F(){ this.a=0 } F.prototype.get=function(){this.a=MADE; return this.a}; export const make=()=>new F()", { rung: "patch" });
two("a function of an object that sets its properties", "const o={n:0, up:function(){this.n=MADE; return this.n}}; export const make=()=>({get:()=>o.up()})", { rung: "patch" });
