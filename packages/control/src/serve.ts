import { isMidflightError, type Registry } from "@midflight/protocol";
import { serveRegistry, type RegistryServer } from "@midflight/registry";
import { readIfThere, writeDurably } from "@midflight/supervisor";
import type { ResolvedConfig } from "./config/resolved-config.ts";
import type { Layout } from "./project/layout.ts";
import { tokenRoles, type Tokens } from "./project/secrets.ts";

/**
 * Serves the registry on loopback. The port stays the same from start to start as long as it is free, because processes
 * that outlived a crash look for it there.
 * @throws MidflightError `PORT_IN_USE` if the configuration names a port that is taken
 */
export async function serve(registry: Registry, config: ResolvedConfig, layout: Layout, tokens: Tokens): Promise<RegistryServer> {
  const remembered = Number(readIfThere(layout.port) ?? 0) || 0;
  const server = await serveOn(config.port ?? remembered);
  writeDurably(layout.port, new URL(server.url).port);
  return server;

  async function serveOn(port: number): Promise<RegistryServer> {
    try {
      return await serveRegistry(registry, { port, tokens: tokenRoles(tokens) });
    } catch (error) {
      const isChance = isMidflightError(error) && error.code === "PORT_IN_USE" && config.port === null && port !== 0;
      if (isChance) return serveOn(0);
      throw error;
    }
  }
}
