import { asArray, asCount, asRecord, invalid } from "./json.ts";
import { latencyBuckets, type LatencyCounts } from "./latency.ts";
import type { ReleaseId } from "./release.ts";
import { parseDigest } from "./tree.ts";

/** What was counted of requests that have ended (spec/measuring.md). */
export interface RequestCounts {
  /** Ended, event streams left out. */
  readonly requests: number;
  /** Of these: answered with a 5xx status, or cut off by the server before their answer had ended. */
  readonly errors: number;
  /** Of these: given up by their client before their answer had ended; no errors. */
  readonly left: number;
  /** How long each of them took. */
  readonly latency: LatencyCounts;
}

/** The requests that began while one release was live in a process: counted up since it became so. */
export interface ReleaseCounts extends RequestCounts {
  readonly release: ReleaseId;
  /** When it became live here. Epoch ms, by the process's clock. */
  readonly sinceMs: number;
  /** Under way now, event streams too. */
  readonly open: number;
  /** Of these, without event streams: how long each has taken that has taken a second or more. Default: none is told of. */
  readonly waiting?: LatencyCounts;
}

/** What a process says of the requests to its own HTTP servers. */
export interface Measured {
  /** The newest last; at most `mostMeasured`. */
  readonly releases: readonly ReleaseCounts[];
  /** Of the newest alone: the last half to whole minute, or less if it is younger. */
  readonly recent: RequestCounts & { readonly ms: number };
}

/** A beat tells of so many releases. */
export const mostMeasured = 3;

/** Absent: an agent that does not measure. @throws MidflightError `OBJECT_INVALID` */
export function parseMeasured(value: unknown): Measured | null {
  if (value === undefined || value === null) return null;
  const m = asRecord(value, "measured");
  const recent = asRecord(m["recent"], "measured.recent");
  return {
    releases: asArray(m["releases"], "measured.releases", mostMeasured).map((one) => {
      const r = asRecord(one, "measured.releases");
      return {
        release: parseDigest(r["release"], "measured.releases.release"),
        sinceMs: asCount(r["sinceMs"], "measured.releases.sinceMs"),
        open: asCount(r["open"], "measured.releases.open"),
        ...(r["waiting"] !== undefined && { waiting: parseLatency(r["waiting"], "measured.releases.waiting") }),
        ...parseCounts(r, "measured.releases"),
      };
    }),
    recent: { ms: asCount(recent["ms"], "measured.recent.ms"), ...parseCounts(recent, "measured.recent") },
  };
}

function parseCounts(r: Readonly<Record<string, unknown>>, path: string): RequestCounts {
  return {
    requests: asCount(r["requests"], `${path}.requests`),
    errors: asCount(r["errors"], `${path}.errors`),
    left: asCount(r["left"], `${path}.left`),
    latency: parseLatency(r["latency"], `${path}.latency`),
  };
}

function parseLatency(value: unknown, path: string): LatencyCounts {
  const packed = asArray(value, path, 2 * latencyBuckets).map((n) => asCount(n, path));
  if (packed.length % 2 !== 0) invalid(path, "pairs of bucket and count");
  for (let i = 0, least = 0; i < packed.length; i += 2) {
    if (packed[i]! < least || packed[i]! >= latencyBuckets || packed[i + 1] === 0) invalid(path, `ascending buckets below ${latencyBuckets} with counts`);
    least = packed[i]! + 1;
  }
  return packed;
}
