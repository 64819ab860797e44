/** How a process ended. */
export interface Exit {
  /** Null when a signal ended it, or when it was not ours to wait for. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return code === null ? "it ended" : `it ended with exit code ${code}`;
}
