// Loaded into a measured app. From the moment its agent fetches until what follows the read-back, it looks at each
// turn of the event loop how long the turn before took, and prints the longest as a line of JSON.
import { subscribe } from "node:diagnostics_channel";
import { monitorEventLoopDelay } from "node:perf_hooks";

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
let window = null;

function turn() {
  if (window === null) return;
  const now = performance.now();
  if (now - window.turnedMs > window.longestMs) {
    window.longestMs = now - window.turnedMs;
    // What the agent was at when that turn ended, and what it had been at when it began.
    window.longestIn = [...new Set([window.stateBefore, window.state])].join("–");
  }
  window.stateBefore = window.state;
  window.turnedMs = now;
  window.turns += 1;
  if (window.isLast) {
    const { longestMs, longestIn, turns, pauseMs, kind, counter } = window;
    // monitorEventLoopDelay counts from the last time its timer ran, so that a timer of 1 ms on time shows 1 ms.
    process.stdout.write(`${JSON.stringify({ event: "window", counter, kind, longestMs, longestIn, turns, pauseMs, delayMs: delay.max / 1e6 - 1, tookMs: now - window.openedMs })}\n`);
    window = null;
    return;
  }
  setImmediate(turn);
}

subscribe("midflight:agent", (signal) => {
  if (signal.kind === "state" && signal.state === "fetching") {
    const now = performance.now();
    delay.reset();
    window = { longestMs: 0, longestIn: "", state: "fetching", stateBefore: "fetching", turnedMs: now, openedMs: now, turns: 0, isLast: false, pauseMs: 0, kind: "", counter: 0 };
    setImmediate(turn);
  } else if (signal.kind === "state" && window !== null) {
    window.state = signal.state;
  } else if (signal.kind === "outcome" && window !== null) {
    window.kind = signal.outcome.kind;
    window.counter = signal.counter;
    window.pauseMs = signal.outcome.pauseMs ?? 0;
    // The turn that this is part of counts too.
    window.isLast = true;
  }
});
