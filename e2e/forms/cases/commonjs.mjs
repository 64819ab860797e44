// CommonJS as libraries write it: what ran while the process started, and what surely did not.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

const klass = (more, rest = "") => ({ "m.cjs": `module.exports=class Shop{ constructor(){this.n=2} ${more} };${rest}` });
const priced = (Shop) => new Shop().price();
add("a class that is the module's export", klass("price(){return this.n*2}"), klass("price(){return this.n*3}"), priced);
add("the same, on an instance from before", klass("price(){return this.n*2}"), klass("price(){return this.n*3}"), (_, shop) => shop.price(), { setup: (Shop) => new Shop() });
add("a method more in it", klass("price(){return 1}"), klass("price(){return this.tax()} tax(){return 5}"), (_, shop) => shop.price(), { setup: (Shop) => new Shop(), rung: "redefine" });
add("a method less in it", klass("price(){return this.tax()} tax(){return 5}"), klass("price(){return 1}"), (_, shop) => shop.price(), { setup: (Shop) => new Shop(), rung: "redefine" });
add("a method of it that becomes async", klass("price(){return 1}"), klass("async price(){return 1}"), (Shop) => priced(Shop) instanceof Promise);
add("a private member of it", klass("#tax(){return 1} price(){return this.#tax()}"), klass("#tax(){return 2} price(){return this.#tax()+1}"), priced);
add("a static method and a getter of it", klass("static of(){return new this()} get price(){return this.n}"), klass("static of(){const s=new this();s.n=9;return s} get price(){return this.n+1}"), (Shop) => Shop.of().price);
add("super in it", { "m.cjs": "class Base{price(){return 1}} module.exports=class Shop extends Base{price(){return super.price()+1}}" }, { "m.cjs": "class Base{price(){return 1}} module.exports=class Shop extends Base{price(){return super.price()+2}}" }, priced);
add("a field more in it", klass("price(){return this.n}"), klass("tax=3; price(){return this.n+this.tax}"), priced, replace);
add("a method of it that ran at the start", klass("price(){return this.n*2}", "module.exports.first=new module.exports().price()"), klass("price(){return this.n*3}", "module.exports.first=new module.exports().price()"), (Shop) => [Shop.first, priced(Shop)], replace);
add("a class under a name of exports", { "m.cjs": "exports.Shop=class{price(){return 2}}" }, { "m.cjs": "exports.Shop=class{price(){return 3}}" }, ({ Shop }) => priced(Shop));

const helper = "function define(target,name,get){Object.defineProperty(target,name,{configurable:true,enumerable:true,get})}";
const getters = (n, rest = "") => ({ "m.cjs": `const req={}; module.exports=req; ${helper} define(req,"host",function(){return "host"+${n}}); define(req,"port",function(){return ${n}}); ${rest}` });
add("getters that a helper defines", getters(1), getters(2), (req) => [req.host, req.port]);
add("one of them, read at the start", getters(1, "req.first=req.port"), getters(2, "req.first=req.port"), (req) => req.first, replace);
add("one of them, read at the start under a computed name", getters(1, 'req.first=req["po"+"rt"]'), getters(2, 'req.first=req["po"+"rt"]'), (req) => req.first, replace);
add("all of them, read at the start", getters(1, "req.all=Object.values(req)"), getters(2, "req.all=Object.values(req)"), (req) => req.all, replace);
add("a getter that a helper calls itself", { "m.cjs": "function define(t,n,get){Object.defineProperty(t,n,{get}); t.first=get()} define(exports,'a',function(){return 1})" }, { "m.cjs": "function define(t,n,get){Object.defineProperty(t,n,{get}); t.first=get()} define(exports,'a',function(){return 2})" }, (m) => m.first, replace);

const listeners = (n, rest = "") => ({ "m.cjs": `const o={got:[]}; module.exports=o; ["open","close"].forEach((name)=>{ Object.defineProperty(o,"in"+name,{get(){return ${n}},set(v){o.got.push([${n},v])}}); Object.defineProperty(o,\`to\${name}\`,{get(){return -${n}}}) }); ${rest}` });
add("accessors defined for each of a list", listeners(1), listeners(2), (o) => { o.inopen = 5; return [o.inopen, o.toclose, o.got]; });
add("one of them, read at the start by its made name", listeners(1, "o.first=o.toclose"), listeners(2, "o.first=o.toclose"), (o) => o.first, replace);
add("one of them, written at the start", listeners(1, "o.inopen=7"), listeners(2, "o.inopen=7"), (o) => o.got, replace);
add("another name, read at the start", listeners(1, "o.first=o.tomorrow"), listeners(2, "o.first=o.tomorrow"), (o) => [o.first, o.toopen]);
add("a function that defineProperty gives, called at the start", { "m.cjs": "const k='ru'+'n'; Object.defineProperty(exports,k,{value(){return 1},enumerable:true}); exports.first=exports.run()" }, { "m.cjs": "const k='ru'+'n'; Object.defineProperty(exports,k,{value(){return 2},enumerable:true}); exports.first=exports.run()" }, (m) => m.first, replace);
add("accessors of defineProperties", { "m.cjs": "const o={}; module.exports=o; Object.defineProperties(o,{a:{get(){return 1}},b:{get(){return 1}}}); o.first=o.b" }, { "m.cjs": "const o={}; module.exports=o; Object.defineProperties(o,{a:{get(){return 2}},b:{get(){return 1}}}); o.first=o.b" }, (o) => [o.a, o.b, o.first]);

const symbols = (n, rest = "") => ({ "m.cjs": `const {kRun,kStop}=require("./s.cjs"); class Job{ [kRun](){return ${n}} [kStop](){return 0} run(){return this[kRun]()} stop(){return this[kStop]()} } exports.Job=Job; ${rest}`, "s.cjs": 'module.exports={kRun:Symbol("run"),kStop:Symbol("stop")}' });
add("a method under a symbol, while another one ran", symbols(1, "exports.first=new Job().stop()"), symbols(2, "exports.first=new Job().stop()"), ({ Job }) => new Job().run());
add("a method under a symbol that ran", symbols(1, "exports.first=new Job().run()"), symbols(2, "exports.first=new Job().run()"), (m) => m.first, replace);
const slots = (n, rest) => ({ "m.cjs": `const kDone=Symbol("done"); function make(o){o[kDone]=()=>${n}; return o} exports.done=(o)=>o[kDone](); exports.make=make; ${rest}` });
add("a function put under a symbol and called at the start", slots(1, "exports.first=exports.done(make({}))"), slots(2, "exports.first=exports.done(make({}))"), (m) => m.first, replace);
add("the same, when it was only put there", slots(1, "exports.o=make({})"), slots(2, "exports.o=make({})"), (m) => m.done(m.o));
add("the same, when nothing was put there", slots(1, ""), slots(2, ""), (m) => m.done(m.make({})));

const memo = (n, rest = "") => ({ "m.cjs": `function build(){return ${n}} class Box{ get value(){ if(!this.kept) this.kept=build(); return this.kept } } exports.Box=Box; ${rest}` });
add("what instances keep that requests make", memo(1), memo(2), ({ Box }) => new Box().value);
add("what an instance keeps that is there from the start", memo(1, "exports.box=new Box()"), memo(2, "exports.box=new Box()"), ({ box }) => box.value, { setup: ({ box }) => box.value, ...replace });
const heirs = (n, use) => ({ "m.cjs": `const proto=require("./p.cjs"); ${use}`, "p.cjs": `module.exports={ get value(){ if(!this.kept) this.kept=build(); return this.kept } }; function build(){return ${n}}` });
add("what the heirs of an object keep", heirs(1, "exports.make=()=>Object.create(proto)"), heirs(2, "exports.make=()=>Object.create(proto)"), (m) => m.make().value);
add("what an heir keeps that is there from the start", heirs(1, "exports.one=Object.create(proto)"), heirs(2, "exports.one=Object.create(proto)"), (m) => m.one.value, { setup: (m) => m.one.value, ...replace });
add("what the heirs keep of what they share", heirs(1, "const shared=Object.create(proto); exports.make=()=>Object.create(shared)"), heirs(2, "const shared=Object.create(proto); exports.make=()=>Object.create(shared)"), (m) => m.make().value, replace);
add("what copies of an object's methods keep", heirs(1, "exports.make=()=>Object.assign({},proto).value; exports.proto=proto"), heirs(2, "exports.make=()=>Object.assign({},proto).value; exports.proto=proto"), (m) => m.make(), replace);
add("what the object itself keeps, which its own unit uses", { ...heirs(1, "exports.make=()=>Object.create(proto)"), "p.cjs": "const p=module.exports={ value(){ if(!this.kept) this.kept=build(); return this.kept }, own(){ return p.value() } }; function build(){return 1}" }, { ...heirs(2, "exports.make=()=>Object.create(proto)"), "p.cjs": "const p=module.exports={ value(){ if(!this.kept) this.kept=build(); return this.kept }, own(){ return p.value() } }; function build(){return 2}" }, (m) => m.make().own(), { setup: (m) => m.make().own(), ...replace });
add("what the object itself keeps", heirs(1, "exports.make=()=>proto"), heirs(2, "exports.make=()=>proto"), (m) => m.make().value, { setup: (m) => m.make().value, ...replace });

const given = (n, rest) => ({ "m.cjs": `const o={set handler(fn){this.got=fn()}}; module.exports=o; function f(){return ${n}} o.go=()=>f(); ${rest}` });
add("what a setter calls that was written at the start", given(1, "o.handler=f"), given(2, "o.handler=f"), (o) => o.got, replace);
add("what a setter calls that was written under a computed name", given(1, 'o["hand"+"ler"]=f'), given(2, 'o["hand"+"ler"]=f'), (o) => o.got, replace);
add("what a setter would call", given(1, ""), given(2, ""), (o) => o.go());
const wrapped = (n, rest) => ({ "m.cjs": `const util=require("node:util"); function f(){return ${n}} exports.f=f; exports.old=util.deprecate(f,"old","DEP0"); ${rest}` });
add("a function that was wrapped at the start", wrapped(1, ""), wrapped(2, ""), (m) => [m.f(), m.old()]);
add("one that was wrapped and called", wrapped(1, "process.noDeprecation=true; exports.first=exports.old()"), wrapped(2, "process.noDeprecation=true; exports.first=exports.old()"), (m) => m.first, replace);
const json = (n, rest) => ({ "m.cjs": `const o={toJSON(){return ${n}}}; module.exports=o; ${rest}` });
add("toJSON, of what was written out at the start", json(1, "o.first=JSON.stringify({o})"), json(2, "o.first=JSON.stringify({o})"), (o) => o.first, replace);
add("toJSON, of what was not", json(1, ""), json(2, ""), (o) => JSON.stringify(o));

const inner = (n, rest) => ({ "m.cjs": `function make(){ return { act(){return ${n}} } } exports.make=make; exports.use=(o)=>o.act(); ${rest}` });
add("a method of what was never made at the start, while others of that name ran", inner(1, "exports.first=exports.use({act:()=>0})"), inner(2, "exports.first=exports.use({act:()=>0})"), (m) => [m.first, m.use(m.make())]);
add("a method of what was made at the start, and ran", inner(1, "exports.first=exports.use(make())"), inner(2, "exports.first=exports.use(make())"), (m) => m.first, replace);
const inConstructor = (n, rest) => ({ "m.cjs": `class T{ constructor(){ this.act=()=>f() } } function f(){return ${n}} exports.T=T; exports.use=(t)=>t.act(); ${rest}` });
add("what a constructor's closure calls, of an instance that the start made and used", inConstructor(1, "exports.first=exports.use(new T())"), inConstructor(2, "exports.first=exports.use(new T())"), (m) => m.first, replace);
add("the same, of an instance that it made and did not use", inConstructor(1, "exports.t=new T()"), inConstructor(2, "exports.t=new T()"), (m) => m.use(m.t));
const made = (n, rest = "") => ({ "m.cjs": `const debug=require("node:util").debuglog("x"); debug("start"); function f(){return ${n}} exports.f=f; ${rest}` });
add("a logger that Node makes, called at the start", made(1), made(2), (m) => m.f());
const shifted = (n, read) => ({ "m.cjs": `function put(dest,name,v){ dest[name]=v } const all={}; put(all,"f",f); function f(){return ${n}} exports.f=f; exports.first=${read}` });
add("a table that a function fills, and nothing calls from", shifted(1, "0"), shifted(2, "0"), (m) => m.f());
add("a table that a function fills, called from at the start", shifted(1, "all.f()"), shifted(2, "all.f()"), (m) => m.first, replace);

const needs = (head, body) => ({ "m.cjs": `${head}; exports.f=()=>${body}` });
add("a module of Node's more", needs("const path=require('path')", "path.sep"), needs("const path=require('path'); const url=require('node:url')", "[path.sep,url.fileURLToPath('file:///a')]"), (m) => m.f(), { rung: "redefine" });
add("a module of Node's less", needs("const path=require('path'); const url=require('url')", "[path.sep,typeof url]"), needs("const path=require('path')", "path.sep"), (m) => m.f(), { rung: "redefine" });
add("a module of Node's under its other name", needs("const path=require('path')", "path.sep"), needs("const path=require('node:path')", "path.sep+1"), (m) => m.f(), { rung: "patch" });
add("a part of one more", needs("const {sep}=require('path')", "sep"), needs("const {sep,join:j}=require('node:path')", "j('a',sep)"), (m) => m.f(), { rung: "redefine" });
add("a part of a part of one", needs("const n=1", "n"), needs("const {types:{isDate},inspect}=require('util')", "[isDate(new Date()),isDate(1),typeof inspect]"), (m) => m.f(), { rung: "redefine" });
add("a part of what is no module", needs("const n=1", "n"), needs("const {constants:{F_OK}}=require('fs')", "F_OK"), (m) => m.f(), replace);
add("a part of one less", needs("const {sep,join}=require('path')", "join('a',sep)"), needs("const {sep}=require('path')", "sep"), (m) => m.f(), { rung: "redefine" });
add("another part of it under the same name", needs("const {sep:x}=require('path')", "x"), needs("const {delimiter:x}=require('path')", "x"), (m) => m.f(), replace);
add("a property of one more", needs("const a=1", "a"), needs("const a=1; const parse=require('url').parse", "typeof parse"), (m) => m.f(), { rung: "redefine" });
add("Node's modules in another order", needs("const a=require('fs'); const b=require('path')", "[typeof a,typeof b]"), needs("const b=require('path'); const a=require('fs')", "[typeof a,typeof b,1]"), (m) => m.f(), { rung: "patch" });
add("a part of one, used at the top level", needs("exports.s=1", "1"), needs("const {sep}=require('path'); exports.s=sep", "sep"), (m) => [m.s, m.f()], replace);
add("a part of one, computed from", needs("const n=1", "n"), needs("const {sep}=require('path'); const n=1; const twice=sep+sep", "twice"), (m) => m.f());
add("a variable that is a part of one and is assigned", needs("const n=1", "n"), needs("let {sep}=require('path'); exports.g=()=>sep='x'; const n=1", "sep"), (m) => m.f(), replace);
add("a module of Node's that does something when it is loaded", needs("const n=1", "n"), needs("const d=require('domain')", "typeof d"), (m) => m.f(), replace);
add("a require of the unit's own", needs("var require=(n)=>({sep:n}); const {sep}=require('path')", "sep"), needs("var require=(n)=>({sep:n,join:n}); const {sep,join}=require('path')", "[sep,join]"), (m) => m.f(), replace);
add("a package more", needs("const n=1", "n"), needs("const acorn=require('acorn')", "typeof acorn.parse"), (m) => m.f(), replace);

// A new module that is required. What it exports is taken by its importers' new bodies alone.
const requires = (head, body, more = {}) => ({ "m.cjs": `${head} exports.f=function(){return ${body}}; exports.t=require("./t.cjs")`, "t.cjs": "exports.g=()=>1", ...more });
const oneFunction = { "n.cjs": "'use strict'; const path=require('path'); const times=(n)=>n*2; module.exports=(n)=>[times(n),path.sep]" };
const called = (m) => [m.f(), m.t.g()];
add("a required module more", requires("", "1"), requires("const n=require('./n.cjs');", "n(4)", oneFunction), called, { rung: "redefine" });
add("a required module more, by two", requires("", "1"), { ...requires("const n=require('./n.cjs');", "n(4)", oneFunction), "t.cjs": "const k=require('./n.cjs'); exports.g=()=>k(5)" }, called, { rung: "redefine" });
add("a required module more, instead of one of Node's", requires("const Stream=require('stream');", "typeof Stream"), requires("const is=require('./n.cjs');", "is.call(5,6)", oneFunction), called, { rung: "redefine" });
add("a required module more, and what it is called as", requires("", "1"), requires("const n=require('./n.cjs');", "n()", { "n.cjs": "'use strict'; module.exports=function(){return [this===undefined,typeof new.target]}" }), called, { rung: "redefine" });
add("a required module more that does something", requires("", "1"), requires("const n=require('./n.cjs');", "n(4)", { "n.cjs": "globalThis.seen=1; module.exports=(n)=>n" }), called, replace);
add("a required module more that exports an object", requires("", "1"), requires("const n=require('./n.cjs');", "n.a", { "n.cjs": "module.exports={a:1}" }), called, replace);
add("a required module more, used at the top level", requires("", "1"), requires("const n=require('./n.cjs'); exports.s=n(4);", "1", oneFunction), (m) => m.s, replace);
add("a required module more, that somebody requires when called", requires("", "1"), { ...requires("const n=require('./n.cjs');", "n(4)", oneFunction), "t.cjs": "exports.g=()=>require('./n.cjs')(1)" }, called, replace);
add("a required module more, that somebody may require by a computed name", { ...requires("", "1"), "t.cjs": "exports.h=(n)=>require(n); exports.g=()=>1" }, { ...requires("const n=require('./n.cjs');", "n(4)", oneFunction), "t.cjs": "exports.h=(n)=>require(n); exports.g=()=>1" }, called, replace);
add("a required module more that requires another one", requires("", "1"), requires("const n=require('./n.cjs');", "n(4)", { "n.cjs": "const o=require('./t.cjs'); module.exports=()=>o.g()" }), called, replace);
add("a required module more, in a variable that is assigned", requires("", "1"), requires("let n=require('./n.cjs'); exports.set=(x)=>n=x;", "n(4)", oneFunction), called, replace);
const hooked = "if(module.hot){module.hot.dispose(()=>{}); module.hot.accept()}";
add("a required module more, where the top level can run again", requires(hooked, "1"), requires(`${hooked} const n=require('./n.cjs');`, "n(4)", oneFunction), called, replace);
