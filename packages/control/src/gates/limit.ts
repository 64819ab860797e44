/** What a measure may come to: a value (a share, ms), or so many times what runs beside it. */
export type Limit = { readonly kind: "value"; readonly value: number } | { readonly kind: "times"; readonly factor: number };

/** `1%`, `0.5 %`, `2x`; null for anything else. */
export function parseErrorLimit(text: string): Limit | null {
  const share = /^(\d+(?:\.\d+)?) ?%$/.exec(text);
  if (share === null) return parseTimes(text);
  const value = Number(share[1]) / 100;
  return value < 1 ? { kind: "value", value } : null;
}

/** `250ms`, `1.5s`, `1.3x`; null for anything else. */
export function parseLatencyLimit(text: string): Limit | null {
  const time = /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(text);
  if (time === null) return parseTimes(text);
  const value = Number(time[1]) * (time[2] === "s" ? 1000 : 1);
  return value > 0 ? { kind: "value", value } : null;
}

/** Less than what runs beside it can be asked of no release. */
function parseTimes(text: string): Limit | null {
  const times = /^(\d+(?:\.\d+)?) ?[x×]$/.exec(text);
  if (times === null) return null;
  const factor = Number(times[1]);
  return factor >= 1 ? { kind: "times", factor } : null;
}
