// Every construct that must be right after a live swap, or refused. See cases/collect.mjs for what a case says.
import { cases as attacks } from "./cases/attacks.mjs";
import { cases as bindings } from "./cases/bindings.mjs";
import { cases as callbacks } from "./cases/callbacks.mjs";
import { cases as classes } from "./cases/classes.mjs";
import { cases as closures } from "./cases/closures.mjs";
import { cases as commonjs } from "./cases/commonjs.mjs";
import { cases as compiled } from "./cases/compiled.mjs";
import { cases as functions } from "./cases/functions.mjs";
import { cases as hiddenCalls } from "./cases/hidden-calls.mjs";
import { cases as hiddenStarts } from "./cases/hidden-starts.mjs";
import { cases as instances } from "./cases/instances.mjs";
import { cases as lasting } from "./cases/lasting.mjs";
import { cases as memos } from "./cases/memos.mjs";
import { cases as hard, entries } from "./cases/hard.mjs";
import { cases as places } from "./cases/places.mjs";
import { cases as readings } from "./cases/readings.mjs";
import { cases as startup } from "./cases/startup.mjs";
import { cases as state } from "./cases/state.mjs";
import { cases as successions } from "./cases/successions.mjs";
import { cases as texts } from "./cases/texts.mjs";

export const cases = [
  ...commonjs, ...functions, ...classes, ...closures, ...callbacks, ...bindings, ...hiddenCalls, ...hiddenStarts, ...instances, ...lasting, ...memos, ...readings,
  ...startup, ...attacks, ...state, ...successions, ...texts, ...places, ...hard, ...compiled,
];

/** What is hard on a live change, and the cases that prove it. */
export const hardEntries = entries;
