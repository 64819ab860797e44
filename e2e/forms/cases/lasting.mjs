// Code that goes on by itself: what it began with must not stay in force after a swap. No timer holds the process.
import { collectCases } from "./collect.mjs";

export const { cases, add } = collectCases();
const replace = { rung: "replace" };
const later = (ms = 25) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `start` set going before the swap says long after it. */
const goesOn = async (m) => { await later(); m.box.n = 0; await saying(m.box); m.box.n = 0; await saying(m.box); const { n } = m.box; m.box.stop = true; return n; };
/** Until it says something: on a busy machine one wait can be over before two timers have run. */
const saying = async (box) => { for (const end = Date.now() + 10_000; box.n === 0 && Date.now() < end;) await later(1); };
const started = { setup: (m) => void m.start() };
const box = "export const box={n:0,stop:false}; ";

add("a named timer that arms itself again", `${box}export function start(){ setTimeout(function again(){ box.n=1; if(!box.stop) setTimeout(again,1).unref() },1).unref() }`, `${box}export function start(){ setTimeout(function again(){ box.n=2; if(!box.stop) setTimeout(again,1).unref() },1).unref() }`, goesOn, { ...started, ...replace });
add("a timer held by a constant that arms itself again", `${box}export function start(){ const again=()=>{ box.n=1; if(!box.stop) setTimeout(again,1).unref() }; again() }`, `${box}export function start(){ const again=()=>{ box.n=2; if(!box.stop) setTimeout(again,1).unref() }; again() }`, goesOn, started);
add("a timer that arms itself again by way of an arrow", `${box}export function start(){ const again=()=>{ box.n=1; if(!box.stop) setTimeout(()=>again(),1).unref() }; again() }`, `${box}export function start(){ const again=()=>{ box.n=2; if(!box.stop) setTimeout(()=>again(),1).unref() }; again() }`, goesOn, started);
add("two timers that arm each other", `${box}export function start(){ const tick=()=>{ box.n=1; if(!box.stop) setTimeout(tock,1).unref() }; const tock=()=>{ setTimeout(tick,1).unref() }; tick() }`, `${box}export function start(){ const tick=()=>{ box.n=2; if(!box.stop) setTimeout(tock,1).unref() }; const tock=()=>{ setTimeout(tick,1).unref() }; tick() }`, goesOn, started);
add("an async function that calls itself without end", `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export function start(){ async function again(){ await gap(); box.n=1; if(!box.stop) again() } again() }`, `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export function start(){ async function again(){ await gap(); box.n=2; if(!box.stop) again() } again() }`, goesOn, started);
add("a loop without end that waits", `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export async function start(){ while(!box.stop){ await gap(); box.n=1 } }`, `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export async function start(){ while(!box.stop){ await gap(); box.n=2 } }`, goesOn, { ...started, ...replace });
add("a loop without end in a function called on the spot", `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export function start(){ (async()=>{ for(;!box.stop;){ await gap(); box.n=1 } })() }`, `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export function start(){ (async()=>{ for(;!box.stop;){ await gap(); box.n=2 } })() }`, goesOn, { ...started, ...replace });
add("a loop without end reads a constant that changed", `${box}const N=1; const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export async function start(){ do { await gap(); box.n=N } while(!box.stop) }`, `${box}const N=2; const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); export async function start(){ do { await gap(); box.n=N } while(!box.stop) }`, goesOn, { ...started, ...replace });
add("a loop over a stream without end", `${box}async function* beats(){ for(;;){ yield 1; await new Promise((r)=>setTimeout(r,1).unref()) } } export async function start(){ for await (const b of beats()){ if(box.stop) return; box.n=b } }`, `${box}async function* beats(){ for(;;){ yield 1; await new Promise((r)=>setTimeout(r,1).unref()) } } export async function start(){ for await (const b of beats()){ if(box.stop) return; box.n=b+1 } }`, goesOn, { ...started, ...replace });
add("what a loop without end calls", `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); const work=()=>{ box.n=1 }; export async function start(){ while(!box.stop){ await gap(); work() } }`, `${box}const gap=()=>new Promise((r)=>setTimeout(r,1).unref()); const work=()=>{ box.n=2 }; export async function start(){ while(!box.stop){ await gap(); work() } }`, goesOn, { ...started, rung: "patch" });
