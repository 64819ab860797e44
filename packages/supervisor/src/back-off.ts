/** How long to wait before a process is started again, after it ended `failures` times in a row. */
export function backOffMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(15_000, 200 * 2 ** (failures - 1));
}

/** A process that served this long has recovered; its next end counts as the first. */
export const steadyAfterMs = 10_000;
