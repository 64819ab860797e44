import { test } from "node:test";
import type { Registry } from "@midflight/protocol";

/** One registry under test, and what the suite may do with it beside the port. */
export interface Harness {
  readonly registry: Registry;
  /** Where retention is run; a client of a remote registry names the registry behind it. */
  readonly keeper: Registry;
  /** Moves the registry's clock, or waits. */
  readonly advance: (ms: number) => void | Promise<void>;
  /** Closes the registry and opens it again on the same store; null if it is not durable. */
  readonly reopen: (() => Promise<Registry>) | null;
  close(): Promise<void>;
}

export type OpenHarness = () => Promise<Harness>;

/** One test with a registry or store of its own, closed whatever happens. */
export function promise<H extends { close(): Promise<void> }>(open: () => Promise<H>, name: string, check: (harness: H) => Promise<void>): void {
  void test(name, async () => {
    const harness = await open();
    try {
      await check(harness);
    } finally {
      await harness.close();
    }
  });
}
