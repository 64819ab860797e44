// Runs in a process that may not turn text into code: prints what the unit says before, what became of the swap, and after.
import { LiveUnits } from "./live-units.ts";

const live = new LiveUnits({ "m.mjs": "export function f(){ return 1; }" });
const module = await live.load("m.mjs");
const before = module["f"]!();
const staged = await live.stage({ "m.mjs": "export function f(){ return 2; }" });
process.stdout.write(`${JSON.stringify([before, staged.kind === "refused" ? staged.code : staged.kind, module["f"]!()])}\n`);
live.close();
