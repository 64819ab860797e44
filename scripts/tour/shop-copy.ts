import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createRepository, type Repository } from "./git.ts";

/** A shop that the tour may change: nobody's sources but its own. */
export interface ShopCopy {
  readonly folder: string;
  readonly repository: Repository | null;
}

export interface CopyOptions {
  /** The repository: a copy inside it finds the same dependencies. */
  readonly root: string;
  readonly shop: string;
  readonly processes: number;
  readonly firstPort: number;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** What is copied beside its configuration. */
export const shopFiles = ["src", "package.json", "tsconfig.json", "tsconfig.build.json"] as const;

/** Where copies lie; git ignores it. */
export function tourPlace(root: string): string {
  return path.join(root, ".midflight");
}

/** A new folder that is cleared up after a tour that was killed. */
export async function makePlace(root: string): Promise<string> {
  await mkdir(tourPlace(root), { recursive: true });
  return mkdtemp(path.join(tourPlace(root), "tour-"));
}

/** From now on edits are somebody's own, and are not thrown away. */
export async function handOver({ folder }: ShopCopy): Promise<void> {
  await writeFile(handedOver(folder), "");
}

/** True if somebody else's edits are in it. */
export async function isEdited(folder: string, repository: Repository | null): Promise<boolean> {
  return existsSync(handedOver(folder)) && (await repository?.isClean()) !== true;
}

function handedOver(folder: string): string {
  return path.join(folder, ".midflight", "handed-over");
}

export async function removeCopy(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

export async function copyShop(options: CopyOptions): Promise<ShopCopy> {
  const folder = await makePlace(options.root);
  try {
    for (const name of shopFiles) await cp(path.join(options.shop, name), path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, ".gitignore"), ".midflight/\nnode_modules/\ndist/\n");
    await writeFile(path.join(folder, "midflight.config.ts"), await configText(options));
    const repository = await createRepository(folder, options.variables);
    await repository?.commit("Open the shop");
    return { folder, repository };
  } catch (error) {
    await removeCopy(folder);
    throw error;
  }
}

async function configText({ shop, processes, firstPort }: CopyOptions): Promise<string> {
  const text = await readFile(path.join(shop, "midflight.config.ts"), "utf8");
  return replaceOnce(replaceOnce(text, /processes: \d+/, `processes: ${processes}`), /PORT: "\d+"/, `PORT: "${firstPort}"`);
}

export function replaceOnce(text: string, find: RegExp, replacement: string): string {
  if (!find.test(text)) throw new Error(`the shop's configuration does not hold ${find}`);
  return text.replace(find, replacement);
}
