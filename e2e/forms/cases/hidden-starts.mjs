// What ran or was looked at while the process started, on ways that are easy to overlook.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

/** `g` runs at the start, and `x` keeps what it gave. */
function starts(name, code) {
  const text = (value) => `function g(){return ${value}} ${code}; export const f=()=>x`;
  add(name, text(1), text(2), (m) => m.f(), replace);
}

starts("a getter that is defined and read by Reflect", "const o={}; Object.defineProperty(o,'p',{get(){return g()}}); const x=Reflect.get(o,'p')");
starts("a getter of a description that has a name", "const d={get(){return g()}}; const o={}; Object.defineProperty(o,'p',d); const x=o.p");
starts("a getter that is defined under an inner variable of the list's name", "const o={}; ['a'].forEach((k)=>{ {let k='q'; Object.defineProperty(o,k,{get(){return g()}})} }); const x=o.q");
starts("a getter that is defined under a name that a function changes", "function dg(t,n,get){n='$'+n; Object.defineProperty(t,n,{get})} const o={}; dg(o,'p',()=>g()); const x=o.$p");
starts("a method for inspect, under the imported symbol", "import {inspect} from 'node:util'; class C{[inspect.custom](){return 'v'+g()}} const x=inspect(new C())");
starts("a getter of an object under an exported symbol", "export const S=Symbol('s'); const o={get [S](){return g()}}; const x=o[S]");
starts("a closure that a generator yields", "function* q(){yield ()=>g()} const x=q().next().value()");
starts("a closure that a promise resolves to", "function mk(){return Promise.resolve(()=>g())} const h=await mk(); const x=h()");
starts("a closure that a trap gives", "const p=new Proxy({}, {get:(t,k)=>()=>g()}); const x=p.foo()");
starts("a closure that a tag gives", "const tag=()=>()=>g(); const x=tag`a`()");
starts("a getter read by URLSearchParams", "const o={get p(){return g()}}; const x=String(new URLSearchParams(o))");
starts("a method of a class that a function makes for its heirs", "const mk=()=>class{v(){return g()}}; class C extends mk(){} const x=new C().v()");
starts("a function spread out of a list", "const l=[()=>g()]; const call=(h)=>h(); const x=call(...l)");

// A computed key may be the name of a method of the language's.
starts("a function under a computed name that the language has, written out", "const o={}; for(const k of ['push']) o[k]=()=>g(); const x=o.push()");
starts("a function under a computed name that the language has, in two parts", "const o={}; const k='pu'+'sh'; o[k]=()=>g(); const x=o.push()");
starts("a function under a computed name that the language has, in a list of parts", "const o={}; o[['pu','sh'].join('')]=()=>g(); const x=o.push()");
starts("a function under a computed name that the language has, in a template", "const o={}; const e='sh'; o[`pu${e}`]=()=>g(); const x=o.push()");
starts("functions under all names of the language's lists", "const o={}; Object.getOwnPropertyNames(Array.prototype).forEach((k)=>{o[k]=()=>g()}); const x=o.push()");
starts("a method for inspect that is given later", "import util from 'node:util'; const o={}; o[util.inspect.custom]=()=>'v'+g(); const x=util.inspect(o)");
starts("a method for inspect under a variable", "import util from 'node:util'; const o={}; const {custom}=util.inspect; o[custom]=()=>'v'+g(); const x=util.format('%o',o)");
starts("an iterator that is given later", "const o={}; o[Symbol.iterator]=function*(){yield g()}; const [x]=o");
starts("a primitive value that is given later", "const o={}; o[Symbol.toPrimitive]=()=>g(); const x=+o");
starts("a function that is written for Array.from", "const x=Array.from([1],()=>g())[0]");
starts("an element that Array.from reads", "const x=Array.from({length:1,get 0(){return g()}})[0]");
starts("a length that Array.from reads, of an object with a name", "const o={get length(){return g()}}; const x=Array.from(o).length");
starts("a method that was put into a module of Node's", "import http from 'node:http'; http.mine={run(){return g()}}; const x=http.mine.run()");
starts("a method that was put into a part of a module of Node's", "import http from 'node:http'; const {globalAgent}=http; globalAgent.mine=()=>g(); const x=globalAgent.mine()");
starts("a method of what a list was mapped to", "const l=['a'].map(()=>({run(){return g()}})); const x=l.find(()=>true).run()");
starts("a method that a list was given", "const l=['a'].map(String); l.run=()=>g(); const x=l.run()");
starts("a method that a written list was given", "const l=[]; l.run=()=>g(); const x=l.run()");
starts("a method that a sum was given", "const l=Object.keys({a:1}).concat('b'); l.run=()=>g(); const x=l.run()");

for (const [name, text] of [
  ["a function under a computed name of exports", (value) => `for(const k of ['g']) exports[k]=function(){return ${value}}; const x=exports.g(); exports.f=()=>x`],
]) add(name, { "m.cjs": text(1) }, { "m.cjs": text(2) }, (m) => m.f(), replace);

const decorate = "var __decorate=function(d,t,k,desc){for(var i=d.length-1;i>=0;i--) desc=d[i](t,k,desc)||desc; if(desc) Object.defineProperty(t,k,desc); return desc}; ";
for (const [name, decorator, start] of [
  ["a variable around it", "let q; const D=(t,k,d)=>{q=d.value};", "const x=q()"],
  ["a list, by its index", "const l=[]; const D=(t,k,d)=>{l[0]=d.value};", "const x=l[0]()"],
  ["a list, with all that describes it", "globalThis.mfDecorated=[]; const D=(t,k,d)=>{globalThis.mfDecorated.push(d)};", "const x=globalThis.mfDecorated[0].value()"],
]) {
  const text = (value) => `${decorate}${decorator} class C{m(){return ${value}}} __decorate([D],C.prototype,'m',Object.getOwnPropertyDescriptor(C.prototype,'m')); ${start}; exports.f=()=>x`;
  add(`a method that a decorator put into ${name}`, { "m.cjs": text(1) }, { "m.cjs": text(2) }, (m) => m.f(), replace);
}
const viaDefault = "var __importDefault=(m)=>m&&m.__esModule?m:{default:m}; const t_1=__importDefault(require('./t.cjs')); const x=(0,t_1.default)(); exports.f=()=>x";
add("a whole export, called by the default that a compiler made", { "m.cjs": viaDefault, "t.cjs": "module.exports=()=>1" }, { "m.cjs": viaDefault, "t.cjs": "module.exports=()=>2" }, (m) => m.f(), replace);
starts("an initialiser that a compiler's helper runs", "function __runInitializers(t,l,v){for(const i of l) v=i.call(t,v); return v} const l=[(v)=>v+g()]; class C{v=__runInitializers(this,l,1)} const c=new C(); const x=c.v");

/** A class gains or loses a method of which the start asked whether it is there. */
function asks(name, code) {
  const text = (method) => `class C{m(){return 1} ${method}} ${code}; export const f=()=>x`;
  add(`a method comes that was asked for ${name}`, text(""), text("hello(){return 7}"), (m) => m.f(), replace);
}

asks("with in", "const c=new C(); const x='hello' in c");
asks("with in, by a computed name", "const c=new C(); const x=['hel'+'lo'].filter((k)=>k in c)");
asks("with getOwnPropertyNames", "const x=Object.getOwnPropertyNames(C.prototype)");
asks("with ownKeys", "const x=Reflect.ownKeys(C.prototype)");
asks("with getOwnPropertyDescriptors", "const x=Object.keys(Object.getOwnPropertyDescriptors(C.prototype))");
asks("with hasOwn", "const x=Object.hasOwn(C.prototype,'hello')");
asks("with hasOwnProperty", "const x=C.prototype.hasOwnProperty('hello')");
asks("with Reflect.has", "const x=Reflect.has(new C(),'hello')");
asks("with getOwnPropertyDescriptor", "const x=Object.getOwnPropertyDescriptor(C.prototype,'hello')===undefined");
add("a method comes that the prototype was given", "class C{m(){}} Object.assign(C.prototype,{hello(){return 1}}); export const f=()=>new C().hello()", "class C{m(){} hello(){return 7}} Object.assign(C.prototype,{hello(){return 1}}); export const f=()=>new C().hello()", (m) => m.f(), replace);
add("a method goes that was listed", "class C{hello(){return 7}} const h=Object.getOwnPropertyNames(C.prototype); export const f=()=>h", "class C{} const h=Object.getOwnPropertyNames(C.prototype); export const f=()=>h", (m) => m.f(), replace);

/** A function takes two parameters instead of one, and the start has kept how many it takes. */
function counts(name, code) {
  add(`how many parameters a function takes, ${name}`, code("p"), code("p,q"), (m) => m.f(), replace);
}

counts("taken out of it", (params) => `function g(${params}){return 1} const {length:x}=g; export const f=()=>x`);
counts("read of all methods", (params) => `class C{m(${params}){return 1}} const x={}; for(const k of Object.getOwnPropertyNames(C.prototype)) x[k]=C.prototype[k].length; export const f=()=>x`);
counts("read of all values", (params) => `const h={m(${params}){return 1}}; const x=Object.values(h).map((q)=>q.length); export const f=()=>x`);
counts("read of all entries", (params) => `const h={m(${params}){return 1}}; const x=Object.entries(h).map(([k,q])=>q.length); export const f=()=>x`);

/** What libraries of web servers do while they are loaded runs nothing of what requests do. */
function loads(name, file, text, rung = "patch") {
  add(name, file(text(1)), file(text(2)), (m) => m.f(), { rung });
}

const asOne = (text) => ({ "m.cjs": text });
loads("did not run: what is called by a method of HTTP, whose names are computed", asOne, (value) => `const { METHODS } = require("node:http"); const app = {}; const names = METHODS.map((name) => name.toLowerCase()); names.concat("all").forEach((name) => { app[name] = function (path) { return this.serve(path); }; }); app.serve = function (path) { return path + ${value}; }; exports.f = () => app.get("/");`);
loads("ran: a method of HTTP, whose names are computed", asOne, (value) => `const { METHODS } = require("node:http"); const app = {}; METHODS.map((name) => name.toLowerCase()).forEach((name) => { app[name] = function (path) { return this.serve(path); }; }); app.serve = function (path) { return path + ${value}; }; const x = app.get("/"); exports.f = () => x;`, "replace");
loads("did not run: a method for inspect, where nothing is printed", asOne, (value) => `const util = require("node:util"); const proto = module.exports = { inspect() { return this.toJSON(); }, toJSON() { return work(); }, f() { return util.inspect(Object.create(proto)); } }; function work() { return "v" + ${value}; } proto[util.inspect.custom] = proto.inspect; require("node:events").once(new (require("node:events").EventEmitter)(), "x");`);
loads("ran: a method for inspect, printed at the start", asOne, (value) => `const util = require("node:util"); const proto = { inspect() { return this.toJSON(); }, toJSON() { return work(); } }; function work() { return "v" + ${value}; } proto[util.inspect.custom] = proto.inspect; const x = util.format("%o", proto); exports.f = () => x;`, "replace");
const response = (value, code) => `const http = require("node:http"); const res = Object.create(http.ServerResponse.prototype); module.exports = res; res.get = function (k) { return this.all && this.all[k]; }; res.set = function (k, v) { this.all = { ...this.all, [k]: v }; return this; }; res.send = function (text) { if (!this.get("size")) this.set("size", size(text)); return this.get("size"); }; function size(text) { return text.length + ${value}; } ${code}`;
const served = "const res = require('./res.cjs'); exports.f = () => Object.create(res).send('abc');";
loads("did not run: what a response keeps in itself", (text) => ({ "m.cjs": served, "res.cjs": text }), (value) => response(value, ""));
loads("ran: what the object that responses come from keeps in itself", (text) => ({ "m.cjs": "const res = require('./res.cjs'); exports.f = () => res.send('abc');", "res.cjs": text }), (value) => response(value, ""), "replace");
loads("ran: what the object that responses come from keeps in itself, by its own unit", (text) => ({ "m.cjs": "const res = require('./res.cjs'); exports.f = () => res.sent('abc');", "res.cjs": text }), (value) => response(value, "res.sent = () => res.send('abc');"), "replace");
loads("ran: what the object that responses come from keeps in itself, under another name", (text) => ({ "m.cjs": "const other = require('./res.cjs'); const one = [other]; exports.f = () => one[0].send('abc');", "res.cjs": text }), (value) => response(value, ""), "replace");
