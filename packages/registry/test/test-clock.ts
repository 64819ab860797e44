import type { Clock } from "@midflight/registry";

/** A clock that stands still until it is told. */
export function createTestClock(): Clock & { readonly advance: (ms: number) => void } {
  let now = Date.parse("2026-01-02T03:04:05.000Z");
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
  };
}
