/**
 * Names of the HTTP interface of a registry (spec/wire.md). All paths are under `/v1`.
 * Roles are of tokens, not of signatures: who may call, not who may decide.
 */
export type TokenRole = "reader" | "agent" | "publisher";

export const paths = {
  /** GET, server-sent events: `entry`, `gap`, `sync`; resumes by `after` or `Last-Event-ID`. Role agent, reader or publisher. */
  watch: "/v1/watch",
  /** GET `channel`, `after`, `limit`. */
  log: "/v1/log",
  /** GET `channel`. */
  head: "/v1/head",
  /** GET `id`. */
  entry: "/v1/entry",
  /** GET `from`, `to`. */
  transition: "/v1/transition",
  /** GET. */
  channels: "/v1/channels",
  /** POST JSON list of digests; answers a pack. */
  fetch: "/v1/fetch",
  /** POST JSON list of digests; answers the list of those missing. */
  missing: "/v1/missing",
  /** POST a pack. Role publisher. */
  blobs: "/v1/blobs",
  /** POST an AppendRequest; 200, 409 (head moved) or 422 (blobs missing). Role publisher. */
  append: "/v1/append",
  /** POST a list of reports, role agent; GET `channel`, `release`, `counter`, `limit`. */
  reports: "/v1/reports",
  /** POST a beat and its `ttlMs`, role agent; GET `channel`. */
  presence: "/v1/presence",
  /** GET, no token: 200 when the registry serves. */
  health: "/v1/health",
} as const;

/** A comment line this often keeps an event stream known to be alive. */
export const heartbeatMs = 15_000;
/** A reader that heard nothing for this long connects again. */
export const silenceMs = 45_000;
/** How long a beat counts. Agents send one at least every third of it. */
export const presenceTtlMs = 15_000;
/** The largest JSON body a registry reads. */
export const maxJsonBytes: number = 32 << 20;
