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

/** Where it comes from, by label; what is not known is left out. */
export function originLines(provenance: Provenance): readonly (readonly [label: string, text: string])[] {
  const { vcs, ci, meta } = provenance;
  const lines: readonly (readonly [string, string])[] = [
    ["Branch", vcs === null ? "" : `${vcs.branch ?? "detached"}${vcs.dirty ? ", with changes that are not committed" : ", clean tree"}`],
    ["CI", ci === null ? "" : [ci.provider, ci.build, ci.url].filter(Boolean).join(" ")],
    ...Object.entries(meta).map(([key, value]) => ["Meta", `${key}=${value}`] as const),
  ];
  return lines.filter(([, text]) => text !== "");
}

/** A release as JSON says it, everywhere the same. */
export function releaseJson({ id, release, publishedAt, state }: ReleaseRecord): Readonly<Record<string, unknown>> {
  const { provenance } = release;
  return { release: `r${release.number}`, number: release.number, digest: id, tree: release.tree, state, publishedAt, units: release.units, provenance };
}

export const stateWords: Readonly<Record<ReleaseRecord["state"], string>> = {
  assigned: "● live", rolling: "▸ rolling out", superseded: "○ superseded", "rolled-back": "↩ rolled back", published: "· published",
};
