import { describe } from "node:test";
import { blobPromises } from "./conformance/blob-promises.ts";
import type { OpenHarness } from "./conformance/harness.ts";
import { durablePromises, logPromises } from "./conformance/log-promises.ts";
import { processPromises } from "./conformance/process-promises.ts";
import { retentionPromises } from "./conformance/retention-promises.ts";

export { type Harness, type OpenHarness } from "./conformance/harness.ts";
export { createFixture, readAll, type Fixture, type NewEntry } from "./conformance/fixture.ts";

/**
 * What every registry must keep, as a node:test suite. A backend passes it unchanged, or is none.
 * `open` gives a new, empty registry for each test. `isDurable`: what was acknowledged outlives the registry's process;
 * then the harness must be able to open it again.
 */
export function registryConformance(name: string, open: OpenHarness, options: { readonly isDurable: boolean }): void {
  void describe(name, () => {
    logPromises(open);
    if (options.isDurable) durablePromises(open);
    blobPromises(open);
    processPromises(open);
    retentionPromises(open);
  });
}
