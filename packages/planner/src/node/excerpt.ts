const width = 60;
/** How much of the start says what it is, if the difference lies further on. */
const headWidth = 24;

/** A text on one line, as people would call it: `app.get("/users", …)`. */
export function excerpt(text: string): string {
  const line = onOneLine(text);
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** The same of two texts that differ: where both begin alike, what differs is shown, and not only how they begin. */
export function excerptsOfChange(before: string, after: string): { readonly before: string; readonly after: string } {
  const [old, now] = [onOneLine(before), onOneLine(after)];
  const at = startOfDifference(old, now);
  // What both show up to there would be all that one sees.
  if (at < width - 10 && Math.max(old.length, now.length) <= width) return { before: old, after: now };
  if (at < headWidth) return { before: excerpt(old), after: excerpt(now) };
  return { before: around(old, at), after: around(now, at) };
}

function around(line: string, at: number): string {
  const head = line.slice(0, headWidth).trimEnd();
  const rest = line.slice(at);
  const room = width - headWidth;
  return `${head}${at > headWidth ? " … " : ""}${rest.length <= room ? rest : `${rest.slice(0, room - 1)}…`}`;
}

/** Where the entry, argument or word begins in which two lines first differ. */
function startOfDifference(old: string, now: string): number {
  let at = 0;
  while (at < old.length && old[at] === now[at]) at++;
  const entry = Math.max(...[", ", "{ ", "; ", "(", "["].map((mark) => at === 0 ? 0 : endOfLast(old, mark, at)));
  return at - entry <= width / 2 ? entry : at;
}

function endOfLast(line: string, mark: string, before: number): number {
  const found = line.lastIndexOf(mark, before - mark.length);
  return found === -1 ? 0 : found + mark.length;
}

function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().replace(/;$/, "").replaceAll("□", "…");
}
