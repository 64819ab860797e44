import { describe } from "node:test";
import { blobPromises } from "./conformance/blob-promises.ts";
import { enclosedPromises } from "./conformance/enclosed-promises.ts";
import type { OpenHarness } from "./conformance/harness.ts";
import { killPromises, type OpenKillHarness } from "./conformance/kill-promises.ts";
import { durablePromises, logPromises } from "./conformance/log-promises.ts";
import { processPromises } from "./conformance/process-promises.ts";
import { retentionPromises } from "./conformance/retention-promises.ts";

export { type Harness, type OpenHarness } from "./conformance/harness.ts";
export { type KillHarness, type OpenKillHarness, type RegistryProcess } from "./conformance/kill-promises.ts";
export { createFixture, readAll, type Fixture, type NewEntry } from "./conformance/fixture.ts";

/** `isDurable`: what was acknowledged outlives the registry's process, however that ends; then the harness can open it again. */
export type Durability = { readonly isDurable: false } | { readonly isDurable: true; readonly openToKill: OpenKillHarness };

/**
 * What every registry must keep, as a node:test suite. A backend passes it unchanged, or is none.
 * `open` gives a new, empty registry for each test; `openToKill` a store whose registry runs in a process of its own.
 */
export function registryConformance(name: string, open: OpenHarness, durability: Durability): void {
  void describe(name, () => {
    logPromises(open);
    if (durability.isDurable) {
      durablePromises(open);
      killPromises(durability.openToKill);
    }
    blobPromises(open);
    enclosedPromises(open);
    processPromises(open);
    retentionPromises(open);
  });
}
