/**
 * Makes a list of cases and the function that adds one. `a` and `b` are a unit's text, or files by path (the first is
 * the entry); the probe's result after a live swap from a to b must equal that of a cold start of b. More:
 * `setup(module)` makes what must survive: instances, closures · `between` runs after each swap · `rung`: the verdict
 * that must be given ("replace": a refusal); without it any live one · `oneWay`: the way back is another matter ·
 * `third`: what comes after b, from the same boot; `isThirdRefused`: it must not go live ·
 * `expected`, `expectedBack`: where a cold start cannot say (a state that the swap must keep).
 */
export function collectCases() {
  const cases = [];
  const add = (name, a, b, probe, more = {}) => void cases.push({ name, a, b, probe, ...more });
  return { cases, add };
}
