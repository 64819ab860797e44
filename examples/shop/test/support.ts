import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";

export const shopFolder: string = fileURLToPath(new URL("..", import.meta.url));

export async function order(app: FastifyInstance, customer: string, query = ""): Promise<Record<string, unknown>> {
  const response = await app.inject({ method: "POST", url: `/api/cart/${customer}/checkout${query}` });
  return { status: response.statusCode, ...response.json<Record<string, unknown>>() };
}

export async function put(app: FastifyInstance, customer: string, item: object): Promise<number> {
  const response = await app.inject({ method: "POST", url: `/api/cart/${customer}/items`, payload: item });
  return response.statusCode;
}

/** A copy of the shop's sources beside it, so that its dependencies are still found. */
export async function copyShop(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(shopFolder, ".copy-"));
  await cp(join(shopFolder, "src"), join(folder, "src"), { recursive: true });
  await cp(join(shopFolder, "package.json"), join(folder, "package.json"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
