import { openMemoryRegistry, openRegistry } from "@midflight/registry";
import { registryConformance } from "@midflight/registry/conformance";
import { createTestClock } from "./test-clock.ts";

registryConformance("registry in memory, by SQLite", async () => {
  const clock = createTestClock();
  const registry = openRegistry({ path: ":memory:", clock });
  return { registry, keeper: registry, advance: clock.advance, reopen: null, close: () => registry.close() };
}, { isDurable: false });

registryConformance("registry in memory, by maps", async () => {
  const clock = createTestClock();
  const registry = openMemoryRegistry({ clock });
  return { registry, keeper: registry, advance: clock.advance, reopen: null, close: () => registry.close() };
}, { isDurable: false });
