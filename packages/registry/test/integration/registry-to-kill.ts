import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectRegistry } from "@midflight/registry-client";
import type { OpenKillHarness } from "@midflight/registry/conformance";
import { spawnFixture } from "./child.ts";

/** The registry in a file, served over HTTP by processes of its own. */
export const openRegistryToKill: OpenKillHarness = async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-registry-"));
  let endLast = async (): Promise<void> => undefined;
  return {
    start: async () => {
      const child = spawnFixture("serve", [path.join(directory, "registry.db"), "0"]);
      endLast = child.kill;
      const registry = connectRegistry({ url: await child.firstLine, token: "all-roles-token", keepsProcessAlive: true });
      const kill = async (): Promise<void> => {
        await child.kill();
        await registry.close();
      };
      endLast = kill;
      return { registry, kill };
    },
    close: async () => {
      await endLast();
      await rm(directory, { recursive: true });
    },
  };
};
