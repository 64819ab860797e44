import type { DatabaseSync } from "node:sqlite";
import { MidflightError, sizeOf, type Digest, type Registry, type RetentionPolicy, type RetentionResult } from "@midflight/protocol";
import { parseAppendRequest } from "./append-request.ts";
import { checkBlobs } from "./check-blobs.ts";
import { checkReport, clampLimit } from "./check-report.ts";
import { Checkpoint } from "./checkpoint.ts";
import { systemClock, type Clock } from "./clock.ts";
import { maxBlobBytes, maxPageEntries } from "./limits.ts";
import { verifyChains } from "./log-chain.ts";
import { Pokes } from "./pokes.ts";
import { Presence } from "./presence.ts";
import { RunningReleases } from "./running-releases.ts";
import { inTransaction, openDatabase, type OpenOptions } from "./schema.ts";
import { SqliteBlobs } from "./sqlite-blobs.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { SqliteReports } from "./sqlite-reports.ts";
import { digestsNeeded, sweep } from "./sqlite-retention.ts";
import { asStoreError } from "./store-errors.ts";

export interface OpenRegistryOptions extends OpenOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Opens the embedded registry: one SQLite file, one process at a time writes it. What `append`, `putBlobs` and
 * `report` have answered is on disk. Close it to release the file.
 *
 * @throws MidflightError `REGISTRY_STORE_DAMAGED`, `FILE_UNREADABLE`, `DISK_FULL`, `REGISTRY_REFUSED` (busy, or of a newer format)
 */
export function openRegistry(options: OpenRegistryOptions): Registry {
  const { path, clock = systemClock } = options;
  try {
    const db = openDatabase(options);
    try {
      verifyChains(db, path);
      return registryOn(db, path, clock);
    } catch (cause) {
      db.close();
      throw cause;
    }
  } catch (cause) {
    throw asStoreError(cause, path);
  }
}

function registryOn(db: DatabaseSync, path: string, clock: Clock): Registry {
  const log = new SqliteLog(db, clock);
  const blobs = new SqliteBlobs(db, clock);
  const reports = new SqliteReports(db);
  const running = new RunningReleases(db, clock);
  const presence = new Presence(clock);
  const pokes = new Pokes();
  let isClosed = false;
  /** Set while a sweep goes on. */
  let protectedDigests: Set<Digest> | null = null;
  let changes = 0;
  let sweeping: Promise<unknown> = Promise.resolve();

  const run = async <T>(work: () => T): Promise<T> => {
    if (isClosed) throw new MidflightError("REGISTRY_UNREACHABLE", "The registry is closed.");
    try {
      return work();
    } catch (cause) {
      throw asStoreError(cause, path);
    }
  };
  const checkpoint = new Checkpoint(db);
  /** `bytes`: about what it writes. */
  const write = <T>(work: () => T, bytes = 0): Promise<T> => run(() => {
    const result = inTransaction(db, work);
    checkpoint.wrote(bytes);
    return result;
  });

  const retain = async ({ keepReleases }: RetentionPolicy): Promise<RetentionResult> => {
    if (isClosed) throw new MidflightError("REGISTRY_UNREACHABLE", "The registry is closed.");
    protectedDigests = new Set();
    try {
      return await sweep(db, {
        keepReleases: clampLimit(keepReleases, 1, Number.MAX_SAFE_INTEGER),
        running: () => new Set([...presence.running(), ...running.remembered()]),
        changes: () => changes,
        now: clock.now(),
        protectedDigests,
        isStopped: () => isClosed,
      });
    } catch (cause) {
      throw asStoreError(cause, path);
    } finally {
      protectedDigests = null;
    }
  };

  return {
    caps: { durability: path === ":memory:" ? "memory" : "fsync", maxBlobBytes },
    missing: (digests) => run(() => {
      for (const digest of digests) protectedDigests?.add(digest); // whoever asks is about to rely on them
      return blobs.missing(digests);
    }),
    putBlobs: async (list) => {
      checkBlobs(list);
      await write(() => blobs.put(list), sizeOf(list));
    },
    getBlobs: (digests) => run(() => blobs.get(digests)),
    append: async (value) => {
      const request = parseAppendRequest(value);
      const result = await write(() => {
        const { enclosed = [] } = request;
        const brought = new Set(enclosed.map(({ digest }) => digest));
        const missing = blobs.missing(request.needs.filter((digest) => !brought.has(digest)));
        if (missing.length > 0 && log.findRepeated(request.channel, request.entries.map((e) => e.id)) === null) return { kind: "blobs-missing" as const, missing };
        if (protectedDigests !== null) for (const digest of digestsNeeded(request.needs, request.entries.map((e) => e.envelope))) protectedDigests.add(digest);
        const appended = log.append(request);
        // In the same transaction, and only then: what was refused leaves nothing behind.
        if (appended.kind === "appended" && !appended.repeated) blobs.put(enclosed);
        return appended;
      }, sizeOf(request.enclosed ?? []) + request.entries.reduce((sum, { envelope }) => sum + envelope.payload.length, 0));
      if (result.kind === "appended" && !result.repeated) {
        changes++;
        pokes.poke(request, result.cursor);
      }
      return result;
    },
    head: (channel) => run(() => log.head(channel)),
    read: (channel, after, limit) => run(() => log.read(channel, after, clampLimit(limit, maxPageEntries, maxPageEntries))),
    entry: (id) => run(() => log.entry(id)),
    transition: (from, to) => run(() => log.transition(from, to)),
    channels: () => run(() => log.channels()),
    onPoke: (channel, poke) => pokes.on(channel, poke),
    report: async (list) => {
      const checked = list.map(checkReport);
      if (checked.length > 0) await write(() => reports.add(checked));
    },
    reports: (query) => run(() => reports.query(query)),
    beat: (beat, ttlMs) => run(() => {
      if (!presence.beat(beat, ttlMs)) return;
      changes++;
      running.note(beat);
    }),
    presence: (channel) => run(() => presence.of(channel)),
    retain: (policy) => {
      const result = sweeping.then(() => retain(policy));
      sweeping = result.catch(() => undefined); // the caller has the failure; the next sweep may start all the same
      return result;
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      pokes.clear();
      checkpoint.close();
      await sweeping;
      db.close();
    },
  };
}
