import type { Rung } from "@midflight/protocol";

/** The sign of each rung, beside its word: shape, never colour alone. */
export const rungSign: Readonly<Record<Rung, string>> = { patch: "●", redefine: "◆", reload: "▲", replace: "■" };

export const sign = { done: "✔", failed: "✖", warning: "!", waiting: "·", going: "▸" } as const;

export const spinnerFrames: readonly string[] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const asciiFrames = ["-", "\\", "|", "/"];

const ascii: Readonly<Record<string, string>> = {
  "●": "o", "◆": "*", "▲": "^", "■": "#", "○": "o", "✔": "+", "✖": "x", "·": "-", "▸": ">", "→": "->", "←": "<-", "↩": "<",
  "–": "-", "—": "-", "…": "...", "≤": "<=", "≥": ">=", "×": "x", "“": '"', "”": '"', "‘": "'", "’": "'", "│": "|", "├": "|", "└": "`", "─": "-",
};
const mapped = new RegExp(`[${Object.keys(ascii).join("")}${spinnerFrames.join("")}]`, "gu");

/** Our own signs in plain ASCII, for a locale without UTF-8. Text of others is left as it is. */
export function toAscii(text: string): string {
  return text.replace(mapped, (char) => ascii[char] ?? asciiFrames[spinnerFrames.indexOf(char) % asciiFrames.length]!);
}
