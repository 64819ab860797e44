import { existsSync } from "node:fs";
import { differencesOf, type PackageList } from "@midflight/planner";
import { MidflightError, type Registry, type ReleaseId } from "@midflight/protocol";
import { isBeingInstalled, openInstalled, projectPackages, readPackages, type Packages } from "@midflight/publisher";
import type { TrustRoot } from "@midflight/trust";
import type { Layout } from "./project/layout.ts";

export interface FindPackagesOptions {
  readonly registry: Registry;
  readonly root: TrustRoot;
  readonly layout: Layout;
  readonly projectDir: string;
  readonly installed: ReturnType<typeof openInstalled>;
}

/** `unknown`: nothing says what the release was made with, so whatever is installed is used. */
export type PackagesAt = "installed" | "kept" | "unknown";

/** Finds the packages that a release was made with. @throws MidflightError `PACKAGES_GONE`, `RELEASE_UNKNOWN` */
export async function findPackages({ registry, root, layout, projectDir, installed }: FindPackagesOptions, release: ReleaseId, number: number): Promise<{ readonly at: PackagesAt; readonly packages: Packages }> {
  const packages = await readPackages(registry, release, root);
  if (packages.key === null) return { at: "unknown", packages };
  const now = installed();
  const isKept = existsSync(layout.packages(packages.key));
  if (now.key === packages.key) {
    const source = isKept ? projectPackages(projectDir)("") : null;
    // Some of what is there is something else already, or not whole yet.
    return { at: source !== null && isBeingInstalled(source) ? "kept" : "installed", packages };
  }
  if (isKept) return { at: "kept", packages };
  throw gone(number, packages, now);
}

/** Asked before a release that was made earlier is made live again. @throws MidflightError `PACKAGES_GONE` */
export async function requirePackages(options: Omit<FindPackagesOptions, "installed">, release: ReleaseId, number: number): Promise<void> {
  await findPackages({ ...options, installed: openInstalled(options.projectDir) }, release, number);
}

function gone(number: number, before: Packages, now: Packages): MidflightError {
  const differences = differencesOf(listOf(before), listOf(now));
  return new MidflightError("PACKAGES_GONE", {
    what: `The packages that r${number} was made with are not installed any more, and were not kept.`,
    why: differences.length === 0 ? "what is installed is something else." : `since then: ${differences.slice(0, 4).join(", ")}${differences.length > 4 ? ` and ${differences.length - 4} more` : ""}.`,
    state: "nothing was done; what serves goes on.",
    fix: ["install what it was made with (`npm ci` at its commit), then run the command again", "or: midflight deploy   (a release with what is installed now)"],
  });
}

function listOf({ record: { dependencies } }: Packages): PackageList {
  return dependencies.installed ?? dependencies.locked ?? new Map();
}
