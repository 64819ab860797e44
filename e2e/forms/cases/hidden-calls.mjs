// Functions that ran while the process started, by ways that name nobody: what they returned is kept, so a change of one must be refused.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();

const startups = {
  "a getter, by spreading its object": "const o={get y(){return f()}}; const kept={...o};",
  "a getter, by Object.assign": "const o={get y(){return f()}}; const kept=Object.assign({},o);",
  "a setter, by Object.assign": "const o={set v(x){this.y=f()}}; Object.assign(o,{v:1}); const kept=o.y;",
  "a getter, by JSON": "const o={get y(){return f()}}; const kept=JSON.stringify(o);",
  "a getter, by a structured clone": "const o={get y(){return f()}}; const kept=structuredClone(o);",
  "a getter, by Object.values": "const o={get y(){return f()}}; const kept=Object.values(o);",
  "Symbol.toPrimitive of an object": "const o={[Symbol.toPrimitive](){return f()}}; const kept=`${o}`;",
  "Symbol.iterator of an object": "const o={*[Symbol.iterator](){yield f()}}; const kept=[...o];",
  "a generator by name under Symbol.iterator": "const o={[Symbol.iterator]: g}; function* g(){yield f()} const kept=[...o];",
  "inspect.custom of an object": "import {inspect} from 'node:util'; const o={[inspect.custom](){return ''+f()}}; const kept=inspect(o);",
  "a function by name under then": "const kept=await {then: g}; function g(r){r(f())}",
  "a listener of an event target": "const e=new EventTarget(); let kept; e.addEventListener('x',()=>{kept=f()}); e.dispatchEvent(new Event('x'));",
  "an object that listens": "const e=new EventTarget(); let kept; e.addEventListener('x',{handleEvent(){kept=f()}}); e.dispatchEvent(new Event('x'));",
  "a listener of an abort": "const c=new AbortController(); let kept; c.signal.addEventListener('abort',()=>{kept=f()}); c.abort();",
  "an element of a list, at once": "const kept=[f][0]();",
  "an element of a list in an object": "const o={a:[f]}; const kept=o.a[0]();",
};
for (const [name, text] of Object.entries(startups)) {
  const unit = (value) => `${text}\nfunction f(){return ${value}}\nexport const get=()=>kept`;
  add(`called at start: ${name}`, unit(1), unit(2), (m) => m.get(), { rung: "replace" });
}

// The same, by ways that hide better.
const more = {
  "a trap of a proxy whose handler has a name": "const handler={get(){return f()}}; const kept=new Proxy({},handler).x;",
  "a trap of a proxy that a handler's name gives": "const trap=()=>f(); const handler={get:trap}; const kept=new Proxy({},handler).x;",
  "what a proxy is made of": "const p=new Proxy(f,{}); const kept=p();",
  "a constructor, by new this": "class S{static make(){return new this()} constructor(){this.v=f()}} const kept=S.make().v;",
  "a constructor, by new this.constructor": "class S{constructor(x){this.v=x?f():0} copy(){return new this.constructor(1)}} const kept=new S(0).copy().v;",
  "a constructor, by new new.target": "class S{constructor(x){this.v=x?f():new new.target(1).v}} const kept=new S(0).v;",
  "a constructor, by Reflect.construct": "class S{constructor(){this.v=f()}} const kept=Reflect.construct(S,[]).v;",
  "a text that is run": "globalThis.mfCalled=f; const kept=(0,eval)('mfCalled()');",
  "a text that is made a function": "globalThis.mfCalled=f; const kept=new Function('return mfCalled()')();",
  "a text that is made up and run": "globalThis.mfCalled=f; const parts=['mfCa','lled()']; const kept=(0,eval)(parts.join(''));",
  "whoever shows a stack": "let kept; Error.prepareStackTrace=()=>{kept=f(); return ''}; String(new Error('x').stack); Error.prepareStackTrace=undefined;",
  "valueOf, by an operator": "const o={valueOf(){return f()}}; const kept=[o+1,o<3];",
  "toString, as a key": "const o={toString(){return 'x'+f()}}; const kept=Object.keys({[o]:1});",
  "Symbol.hasInstance": "let kept=0; class O{static [Symbol.hasInstance](){kept=f(); return true}} ({}) instanceof O;",
  "Symbol.species": "let kept; class L extends Array{static get [Symbol.species](){kept=f(); return Array}} new L(1,2).map((x)=>x);",
  "an iterator's return": "let kept; const o={[Symbol.iterator](){return {next(){return {value:1,done:false}}, return(){kept=f(); return {}}}}}; const [first]=o;",
  "a generator, by a spread call": "function* g(){yield f()} const kept=Math.max(...g());",
  "a reviver of JSON": "const kept=JSON.parse('1',()=>f());",
  "a replacer of JSON": "const kept=JSON.stringify({a:1},(k,v)=>k?f():v);",
  "a getter, by super": "class P{get v(){return f()}} class S extends P{w=super.v} const kept=new S().w;",
  "a getter, by Object.create": "const kept=Object.create(null,{v:{get:f}}).v;",
  "a property of the global object, by its bare name": "globalThis.mfBare=f; const kept=mfBare();",
  "call of call": "const kept=Function.prototype.call.call(f,null);",
  "a storage of context": "import {AsyncLocalStorage} from 'node:async_hooks'; const kept=new AsyncLocalStorage().run(1,f);",
  "a diagnostics channel": "import dc from 'node:diagnostics_channel'; let kept; dc.subscribe('mf',()=>{kept=f()}); dc.channel('mf').publish(1);",
  "a function of functions": "const pipe=(...fs)=>(x)=>fs.reduce((a,g)=>g(a),x); const kept=pipe(f)(1);",
  "a switch that gives it": "const pick=(k)=>{switch(k){case 1: return f}}; const kept=pick(1)();",
};
for (const [name, text] of Object.entries(more)) {
  const unit = (value) => `${text}\nfunction f(){return ${value}}\nexport const get=()=>kept`;
  add(`called at start: ${name}`, unit(1), unit(2), (m) => m.get(), { rung: "replace" });
}
