// Runs inside each supported Node: every case boots instrumented code, swaps it, and compares with a cold start.
// Usage: node forms-host.mjs CASES.mjs DIRECTORY [NAME-PART]  → one line of JSON per case on stdout.
import { pathToFileURL } from "node:url";
import { createWorld } from "./world.mjs";

const [, , casesPath, directory, part = ""] = process.argv;
const { cases } = await import(pathToFileURL(casesPath).href);
const world = createWorld(directory);

for (const testCase of cases) {
  if (!testCase.name.includes(part)) continue;
  console.log(JSON.stringify(await judge(testCase)));
}

/** What is wrong with a case, in words; nothing if all of its promises held. */
async function judge(testCase) {
  const { name, a, b, rung: wanted, oneWay, third, isThirdRefused } = testCase;
  const faults = [];
  const compare = (what, live, cold) => {
    if (live.got !== cold) faults.push(`${what} ${live.got ?? live.rung}, a cold start ${cold}`);
  };
  try {
    const forward = await world.live(a, [b], testCase);
    const reasons = forward.verdicts.map((verdict) => `${verdict.unit}: ${verdict.reason}`);
    if (wanted === undefined ? forward.rung === "replace" : forward.rung !== wanted) faults.push(`verdict ${forward.rung} instead of ${wanted ?? "a live one"}: ${reasons.join("; ")}`);
    if (forward.rung === "replace") return { name, rung: forward.rung, reasons, faults };
    const coldB = testCase.expected ?? (await world.cold(b, testCase));
    compare("swapped gives", forward, coldB);
    if (oneWay !== true) {
      compare("and back gives", await world.live(a, [b, a], testCase), testCase.expectedBack ?? (await world.cold(a, testCase)));
      compare("and again gives", await world.live(a, [b, a, b], testCase), coldB);
    }
    if (third !== undefined) {
      const onward = await world.live(a, [b, third], testCase);
      if (isThirdRefused !== true) compare("and on to the third gives", onward, await world.cold(third, testCase, 2));
      else if (onward.rung !== "replace" && onward.got?.startsWith("refused: ") !== true) faults.push(`the third was not refused, it gives ${onward.got}`);
    }
    return { name, rung: forward.rung, reasons, faults };
  } catch (error) {
    return { name, rung: null, reasons: [], faults: [...faults, error.stack] };
  }
}
