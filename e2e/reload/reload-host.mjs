// Runs inside each supported Node: one line of JSON per promise, `{name, got, want}`.
// Usage: node reload-host.mjs DIRECTORY [NAME-PART]
import "./refusals.mjs";
import "./under-requests.mjs";
import { promises } from "./promises.mjs";

const [, , directory, part = ""] = process.argv;
for (const { name, want, act } of promises) {
  if (!name.includes(part)) continue;
  let got;
  try {
    got = await act(directory);
  } catch (error) {
    got = error.stack;
  }
  console.log(JSON.stringify({ name, got, want }));
}
process.exit(0);
