import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface SmallDisk {
  /** Gives back what is in use. */
  makeRoom(): void;
  unmount(): void;
}

/** Mounts a disk of 2 MB with 0.5 MB of room; null where that is not allowed. */
export function mountSmallDisk(directory: string): SmallDisk | null {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", directory], { stdio: "ignore" });
  } catch {
    return null;
  }
  const ballast = path.join(directory, "ballast");
  writeFileSync(ballast, Buffer.alloc(1_550_000));
  return { makeRoom: () => rmSync(ballast), unmount: () => void execFileSync("umount", [directory]) };
}
