// What the text itself must keep: lines, directives, reflection.
import { runInThisContext } from "node:vm";
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };

add("lines and columns of what did not change", "export function f({a,\n b=a},\n c=()=>1){\n\n throw new Error('x') }\nexport function g(){return 1}", "export function f({a,\n b=a},\n c=()=>1){\n\n throw new Error('x') }\nexport function g(){return 2}", (m) => { try { m.f({}); } catch (e) { return /:(\d+):\d+\)?$/m.exec(e.stack.split("\n")[1])[1]; } });
add("direct eval", "export function f(){return eval('1')}", "export function f(){return eval('2')}", (m) => m.f(), replace);
add("reflection: length, name, prototype, own keys", "export function f(a,b=1,...c){} export const g=(a,b)=>a; export const h=async({x},y)=>x; export class C{constructor(a,b){} m(a,b){} static z(){}} export function* q(a){} export function k(){return 1}", "export function f(a,b=1,...c){} export const g=(a,b)=>a; export const h=async({x},y)=>x; export class C{constructor(a,b){} m(a,b){} static z(){}} export function* q(a){} export function k(){return 2}", (m) => [m.f, m.g, m.h, m.C, m.q, m.C.prototype.m].map((x) => [x.length, x.name, Object.getOwnPropertyNames(x).sort().join(), "prototype" in x]));
add("only comments and indentation", "export function f(){return 1}", "// said\nexport function f(){   return 1 /* so */ }", (m) => m.f(), { rung: "patch" });
add("white space inside a string", 'export const f=()=>"a b"', 'export const f=()=>"a  b"', (m) => m.f(), { rung: "patch" });
add("function turned into text and run elsewhere", "export function f(a){return a+1}", "export function f(a){return a+2}", (m) => runInThisContext(`(${m.f.toString()})`)(1), { expected: "2", expectedBack: "2" });
add("a call after a line without semicolon", "import {join} from 'node:path'\nexport function f(){let a = 1\njoin('a')\nreturn a}", "import {join} from 'node:path'\nconst K = 2\nfunction h(){return K}\nexport function f(){let a = 1\nh()\nreturn [a, h()]}", (m) => m.f());
add("directives in functions and units", { "m.cjs": "'use strict'\nmodule.exports.f=function(){'use strict'\nreturn this===undefined}" }, { "m.cjs": "'use strict'\nmodule.exports.f=function(){'use strict'\nreturn [this===undefined]}" }, (m) => (0, m.f)());
