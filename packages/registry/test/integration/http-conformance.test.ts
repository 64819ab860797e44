import { openRegistry, serveRegistry } from "@midflight/registry";
import { connectRegistry } from "@midflight/registry-client";
import { registryConformance } from "@midflight/registry/conformance";
import { createTestClock } from "../test-clock.ts";

registryConformance("registry over HTTP", async () => {
  const clock = createTestClock();
  const keeper = openRegistry({ path: ":memory:", clock });
  const server = await serveRegistry(keeper, { port: 0, tokens: { "all-roles-token": ["reader", "agent", "publisher"] } });
  const registry = connectRegistry({ url: server.url, token: "all-roles-token" });
  return {
    registry,
    keeper,
    advance: clock.advance,
    reopen: null,
    close: async () => {
      await registry.close();
      await server.close();
      await keeper.close();
    },
  };
});
