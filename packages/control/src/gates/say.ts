/** Numbers as the sentences of gates have them. */

export function sayShare(share: number): string {
  const percent = share * 100;
  return `${percent === 0 || percent >= 10 ? percent.toFixed(0) : percent >= 1 ? trim(percent.toFixed(1)) : trim(percent.toPrecision(2))} %`;
}

export function sayMs(ms: number): string {
  if (ms >= 10_000) return `${trim((ms / 1000).toFixed(1))} s`;
  return `${ms >= 100 ? ms.toFixed(0) : trim(ms.toPrecision(2))} ms`;
}

export function sayCount(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A few names, or how many there are. */
export function sayNames(names: readonly string[], service: string): string {
  return names.length <= 3 ? names.join(", ") : `${names.length} processes of ${service}`;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
