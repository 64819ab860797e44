/** Thrown in place of the end of the process. */
export class Exited extends Error {
  constructor(code) {
    super(`process.exit(${code ?? ""})`);
    this.code = code ?? 0;
  }
}

/** Runs tests that may end their process when they are done: here many follow each other in one. */
export async function withoutExit(work) {
  const { exit } = process;
  const before = process.exitCode;
  process.exit = (code) => {
    throw new Exited(code);
  };
  try {
    return await work();
  } finally {
    process.exit = exit;
    process.exitCode = before;
  }
}
