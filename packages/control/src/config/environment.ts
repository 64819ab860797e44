/** The process's variables; the one place where control reads them. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
