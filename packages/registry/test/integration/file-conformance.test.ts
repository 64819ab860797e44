import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openRegistry } from "@midflight/registry";
import { registryConformance } from "@midflight/registry/conformance";
import { createTestClock } from "../test-clock.ts";
import { openRegistryToKill } from "./registry-to-kill.ts";

registryConformance("registry in a file", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-registry-"));
  const clock = createTestClock();
  const open = (): ReturnType<typeof openRegistry> => openRegistry({ path: path.join(directory, "registry.db"), clock });
  let registry = open();
  return {
    registry,
    keeper: registry,
    advance: clock.advance,
    reopen: async () => {
      await registry.close();
      return (registry = open());
    },
    close: async () => {
      await registry.close();
      await rm(directory, { recursive: true });
    },
  };
}, { isDurable: true, openToKill: openRegistryToKill });
