import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Registry } from "@midflight/protocol";
import { openRegistry, serveRegistry } from "@midflight/registry";
import { connectRegistry } from "@midflight/registry-client";
import { registryConformance } from "@midflight/registry/conformance";
import { createTestClock } from "../test-clock.ts";
import { openRegistryToKill } from "./registry-to-kill.ts";

registryConformance("registry over HTTP", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-http-"));
  const clock = createTestClock();
  const open = async (): Promise<{ keeper: Registry; registry: Registry; close: () => Promise<void> }> => {
    const keeper = openRegistry({ path: path.join(directory, "registry.db"), clock });
    const server = await serveRegistry(keeper, { port: 0, tokens: { "all-roles-token": ["reader", "agent", "publisher"] } });
    const registry = connectRegistry({ url: server.url, token: "all-roles-token" });
    return {
      keeper,
      registry,
      close: async () => {
        await registry.close();
        await server.close();
        await keeper.close();
      },
    };
  };
  let opened = await open();
  return {
    registry: opened.registry,
    keeper: opened.keeper,
    advance: clock.advance,
    reopen: async () => {
      await opened.close();
      opened = await open();
      return opened.registry;
    },
    close: async () => {
      await opened.close();
      await rm(directory, { recursive: true });
    },
  };
}, { isDurable: true, openToKill: openRegistryToKill });
