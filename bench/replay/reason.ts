/** A verdict's reason, as the planner gives it. */
export interface Reason {
  readonly unit: string;
  readonly reason: string;
  readonly evidence: readonly string[];
}

/** True if a person can find what a reason speaks of: a file, and in code a declaration or a line. */
export function namesWhat({ unit, reason, evidence }: Reason): boolean {
  if (unit === "dependencies") return true;
  if (!/\.[a-z]+$/i.test(unit) || reason === "") return false;
  const isCode = /\.[mc]?[jt]s$/.test(unit);
  return !isCode || evidence.length > 0 || /\w+\(\)|\b(?:const|let|var|class|function|import|export|closure|method|handler)\b|\w+\.\w+/.test(reason) || reason.includes("module");
}
