/** What serves now, as a sentence: the line of an error that other tools forget. */
export function serves(number: number | undefined): string {
  return number === undefined ? "nothing is live yet." : `r${number} serves.`;
}
