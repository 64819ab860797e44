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
