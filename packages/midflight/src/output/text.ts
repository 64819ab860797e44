import { stripVTControlCharacters } from "node:util";

const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** How many columns a text takes on a terminal, colour codes not counted. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += wide.test(char) ? 2 : /\p{M}/u.test(char) ? 0 : 1;
  return width;
}

/**
 * Makes text from outside (a commit's subject, a log line) fit to print: no escape sequence, no other
 * control character, one line.
 */
export function toPlainLine(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/**
 * Breaks text into lines of at most `width` columns, at spaces. A word that is longer than a line stands alone and
 * is broken where the line ends, so nothing is ever dropped. Leading spaces of the text are kept on the first line.
 */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(8, width);
  const lines: string[] = [];
  let line = /^ */.exec(text)![0];
  let isFresh = true;
  for (const [, gap = "", word = ""] of text.trim().matchAll(/( *)([^ ]+)/g)) {
    const joined = isFresh ? line + word : line + gap + word;
    if (displayWidth(joined) <= room) {
      line = joined;
      isFresh = false;
      continue;
    }
    if (!isFresh) lines.push(line);
    let rest = isFresh ? joined : word;
    while (displayWidth(rest) > room) {
      const head = takeColumns(rest, room);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
    isFresh = false;
  }
  lines.push(line);
  return lines;
}

function takeColumns(text: string, width: number): string {
  let taken = "";
  let used = 0;
  for (const char of text) {
    used += displayWidth(char);
    if (used > width) break;
    taken += char;
  }
  return taken;
}

/** `label` in a column of its own, then `text`, wrapped under itself. */
export function hanging(label: string, labelWidth: number, text: string, width: number): string[] {
  const [first = "", ...rest] = wrap(text, width - labelWidth);
  return [padEnd(label, labelWidth) + first, ...rest.map((line) => " ".repeat(labelWidth) + line)];
}

/** "1 process", "4 processes". */
export function count(n: number, one: string, many: string = `${one}s`): string {
  return `${groupThousands(n)} ${n === 1 ? one : many}`;
}

export function groupThousands(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}
