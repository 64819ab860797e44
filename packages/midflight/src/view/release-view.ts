import type { ReleaseRecord } from "@midflight/control";
import { shortDigest, type Provenance, type Release } from "@midflight/protocol";
import { toPlainLine } from "../output/text.ts";

/** "r12 8c1f9ae" with the commit, or the digest where there is none; "+" marks changes that are not in the commit. */
export function nameOf(release: Release, id: string): string {
  return `r${release.number} ${originOf(release.provenance, id)}`;
}

export function originOf({ vcs }: Provenance, id: string): string {
  return vcs === null ? shortDigest(id as `sha256:${string}`).slice(0, 7) : `${vcs.commit.slice(0, 7)}${vcs.dirty ? "+" : ""}`;
}

/** The commit's subject in quotes, and who made it. */
export function subjectOf({ vcs }: Provenance): string {
  return vcs === null ? "" : `"${toPlainLine(vcs.subject)}" (${toPlainLine(vcs.author).replace(/ *<[^>]*>$/, "")})`;
}

/** A release as JSON says it, everywhere the same. */
export function releaseJson({ id, release, publishedAt, state }: ReleaseRecord): Readonly<Record<string, unknown>> {
  const { provenance } = release;
  return { release: `r${release.number}`, number: release.number, digest: id, tree: release.tree, state, publishedAt, units: release.units, provenance };
}

export const stateWords: Readonly<Record<ReleaseRecord["state"], string>> = {
  assigned: "● live", superseded: "○ superseded", "rolled-back": "↩ rolled back", published: "· published",
};
