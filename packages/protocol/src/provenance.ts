import { asNullable, asRecord, asString } from "./json.ts";

/** Where a release comes from. Everything in it is a claim of the builder who signed it. */
export interface Provenance {
  /** Version control at the time of the build; null outside a repository. */
  readonly vcs: Vcs | null;
  /** The CI job that built it; null on a developer's machine. */
  readonly ci: Ci | null;
  /** Anything else that was passed along, e.g. by `--meta key=value`. */
  readonly meta: Readonly<Record<string, string>>;
  /** Who or what built it: a user@host or a CI system's name. */
  readonly builder: string;
  /** ISO 8601. */
  readonly builtAt: string;
}

export interface Vcs {
  readonly system: "git";
  /** 40 or 64 hex digits. */
  readonly commit: string;
  readonly branch: string | null;
  /** True if tracked files differed from the commit, or untracked ones lay in the code directories. */
  readonly dirty: boolean;
  readonly author: string;
  readonly subject: string;
  readonly committedAt: string;
  readonly remote: string | null;
}

export interface Ci {
  readonly provider: string;
  readonly build: string | null;
  readonly url: string | null;
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseProvenance(value: unknown): Provenance {
  const p = asRecord(value, "provenance");
  const meta: Record<string, string> = Object.create(null) as Record<string, never>;
  for (const [key, text] of Object.entries(asRecord(p["meta"] ?? {}, "provenance.meta"))) meta[key] = asString(text, `meta.${key}`);
  return {
    vcs: asNullable(p["vcs"], parseVcs, "provenance.vcs"),
    ci: asNullable(p["ci"], parseCi, "provenance.ci"),
    meta,
    builder: asString(p["builder"], "provenance.builder"),
    builtAt: asString(p["builtAt"], "provenance.builtAt"),
  };
}

function parseVcs(value: unknown, path: string): Vcs {
  const v = asRecord(value, path);
  return {
    system: "git",
    commit: asString(v["commit"], `${path}.commit`, 64),
    branch: asNullable(v["branch"], asString, `${path}.branch`),
    dirty: v["dirty"] === true,
    author: asString(v["author"], `${path}.author`),
    subject: asString(v["subject"], `${path}.subject`),
    committedAt: asString(v["committedAt"], `${path}.committedAt`),
    remote: asNullable(v["remote"], asString, `${path}.remote`),
  };
}

function parseCi(value: unknown, path: string): Ci {
  const c = asRecord(value, path);
  return {
    provider: asString(c["provider"], `${path}.provider`),
    build: asNullable(c["build"], asString, `${path}.build`),
    url: asNullable(c["url"], asString, `${path}.url`),
  };
}
