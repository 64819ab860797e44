/** Looks again at every few turns of the event loop: what is looked at is in this process and tells nobody. */
export async function until<T>(look: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`it did not come within ${withinMs} ms`);
}
