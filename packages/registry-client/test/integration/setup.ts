import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Registry } from "@midflight/protocol";
import { openRegistry, serveRegistry, type RegistryServer, type ServeOptions } from "@midflight/registry";
import { connectRegistry, type ConnectOptions, type RegistryClient } from "@midflight/registry-client";

export const tokens = { "reader-token": ["reader"], "agent-token": ["agent"], "publisher-token": ["publisher"] } as const;

export interface Served {
  readonly registry: Registry;
  readonly server: RegistryServer;
  readonly connect: (token?: keyof typeof tokens, options?: Partial<ConnectOptions>) => RegistryClient;
}

/** A registry in memory, served; all of it ends with the test. */
export async function serve(t: TestContext, options: Partial<ServeOptions> = {}, registry: Registry = openRegistry({ path: ":memory:" })): Promise<Served> {
  const server = await serveRegistry(registry, { port: 0, tokens, ...options });
  const clients: RegistryClient[] = [];
  t.after(async () => {
    for (const client of clients) await client.close();
    await server.close();
    await registry.close();
  });
  return {
    registry,
    server,
    connect: (token = "publisher-token", more = {}) => {
      const client = connectRegistry({ url: server.url, token, keepsProcessAlive: true, ...more });
      clients.push(client);
      return client;
    },
  };
}

export async function createDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-client-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}
