const hook = Symbol.for("midflight.agent.v1");

/**
 * Runs work that is not an HTTP request as one request: a queue's message, a job, a message of a socket. All of it,
 * over awaits and timers, stays on the code that is current when it begins. Ends when `work` returns or its promise
 * settles. Without an agent it just runs `work`.
 */
export function run<T>(work: () => T): T {
  const agent = (globalThis as Record<symbol, unknown>)[hook] as { readonly run?: <R>(work: () => R) => R } | undefined;
  return agent?.run === undefined ? work() : agent.run(work);
}
