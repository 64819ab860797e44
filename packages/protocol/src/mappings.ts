/** One segment of a source map: its column, then, from the beginning of the map on, source, line, column and name, as far as it has them. */
export type Segment = readonly number[];

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const valueOf: readonly number[] = Array.from({ length: 128 }, (_, code) => digits.indexOf(String.fromCharCode(code)));

/** Reads base 64 VLQ (ECMA-426 §5). All but the column go on from one segment to the next; the column begins anew on each line. False for what is none. */
export function readMappings(mappings: string, use: (line: number, segment: Segment) => void): boolean {
  const sums = [0, 0, 0, 0, 0];
  let line = 0;
  let segment: number[] = [];
  let value = 0;
  let shift = 0;
  for (let i = 0; i <= mappings.length; i++) {
    const char = i === mappings.length ? ";" : mappings[i]!;
    if (char === ";" || char === ",") {
      if (shift !== 0) return false;
      if (segment.length > 0) use(line, segment);
      segment = [];
      if (char === ";") {
        line++;
        sums[0] = 0;
      }
      continue;
    }
    const digit = valueOf[char.charCodeAt(0)] ?? -1;
    if (digit === -1 || shift > 30 || segment.length === 5) return false;
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    const field = segment.length;
    sums[field]! += value % 2 === 1 ? -Math.floor(value / 2) : value / 2;
    segment.push(sums[field]!);
    value = 0;
    shift = 0;
  }
  return true;
}

/** The same, written. Lines begin at 0; segments of a line may come in any order. */
export function writeMappings(lines: readonly Segment[][]): string {
  const before = [0, 0, 0, 0, 0];
  const out: string[] = [];
  for (const line of lines) {
    before[0] = 0;
    const parts: string[] = [];
    line.sort(([a], [b]) => a! - b!);
    for (const segment of line) {
      let text = "";
      for (const [field, value] of segment.entries()) {
        text += vlq(value - before[field]!);
        before[field] = value;
      }
      parts.push(text);
    }
    out.push(parts.join(","));
  }
  return out.join(";");
}

function vlq(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += digits[rest > 0 ? digit + 32 : digit];
  } while (rest > 0);
  return text;
}
