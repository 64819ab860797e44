/** Calls `end` once, when the work or the promise it returns has settled. */
export function endWith<T>(work: () => T, end: () => void): T {
  let result: T;
  try {
    result = work();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) void result.then(end, end);
  else end();
  return result;
}
