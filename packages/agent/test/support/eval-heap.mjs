// How many bytes V8 keeps of each text that was evaluated and let go, in the form of a transition's texts and without it.
import { Placed } from "../../dist/runtime/placed.js";

const texts = 1500;
// oxlint-disable-next-line no-eval -- that is what a door is
const door = (/** @type {string} */ code) => eval(code);

/** @param {(expression: { once: () => string, often: () => string }) => string} formOf */
function keptBytesOf(formOf, /** @type {number} */ from) {
  const before = heapBytes();
  for (let n = from; n < from + texts; n++) {
    const body = `function(){ let sum = ${n}; for (let k = 0; k < 3; k++) sum += k * ${n}; return sum; }`;
    const placed = new Placed(/** @type {never} */ ({ text: body, ops: { artifact: `sha256:${String(n).padStart(64, "0")}`, bodies: [], members: [], cells: [] } }), /** @type {never} */ ({ url: "file:///m.js" }));
    const text = formOf(placed.expression('($mfo,$mfi,$mfr)=>[({["f"]:', [[0, body.length]], '})["f"],undefined]'));
    // As often as an overlay that stays live for some updates is staged.
    for (let update = 0; update < 3; update++) door(text)()[0]();
  }
  return (heapBytes() - before) / texts;
}

function heapBytes() {
  for (let i = 0; i < 10; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

// Once for everything that is compiled on the way.
keptBytesOf(({ once }) => once(), 0);
const keptBytes = keptBytesOf(({ once }) => once(), texts);
const unguardedBytes = keptBytesOf(({ often }) => often(), 2 * texts);
console.log(JSON.stringify({ keptBytes, unguardedBytes }));
