import { addLatencies, latencyBuckets, presenceTtlMs, type Beat, type LatencyCounts, type ReleaseCounts, type ReleaseId } from "@midflight/protocol";
import type { GateQuestion } from "./gate.ts";

/** Requests of several processes, added up. */
export interface Pool {
  requests: number;
  errors: number;
  /** Counts per bucket; those under way for long are in it with what they have taken so far. */
  readonly latency: number[];
  /** Errors by process. */
  readonly errorsOf: Map<string, number>;
}

/** What was measured of one service. */
export interface ServiceWindow {
  readonly service: string;
  /** The wave's processes on the new release, since the wave began. */
  readonly wave: Pool;
  /** The other processes on the release before, in the same time. */
  readonly others: Pool;
  /** The wave's own processes on the release before, until it began. */
  readonly past: Pool;
  /** Some of its processes are in the wave. */
  readonly isInWave: boolean;
  /** False: no process of the service was ever asked anything, on either release, but whether it is ready. */
  readonly hasRequests: boolean;
}

/** A release in one process, as it was seen. */
interface Seen {
  readonly target: string;
  readonly service: string;
  readonly release: ReleaseId;
  readonly isInWave: boolean;
  /** When it was first seen, by control's clock. */
  readonly firstMs: number;
  /** Counts from which the window begins; null: from the stint's own beginning. */
  from: ReleaseCounts | null;
  /** Latencies that are still of the warm-up. */
  warmUp: LatencyCounts;
  last: ReleaseCounts;
}

/** A release that has just become live runs for so long without its latencies being counted: code is compiled, caches fill. */
export const warmUpMs = 5000;
/** What was answered before a look may be told by the beat after it. */
const beatMs = presenceTtlMs / 3;
/** A service that was never asked more than this was asked by whoever started it whether it is ready. */
const probes = 10;
const mostSeen = 50_000;
/** A process that has ended is remembered for so long: it may be what its successor is compared with. */
const rememberedMs = 60 * 60_000;

/**
 * Turns counts that go up for ever into those of one window: from the moment that a wave began, for those on its release and for
 * those beside it. What a process said before it ended stays counted.
 */
export class RequestWindow {
  readonly #now: () => number;
  #key = "";
  readonly #seen = new Map<string, Seen>();
  /** The last that each agent said, whether a question is asked or not. */
  readonly #noted = new Map<string, { readonly beat: Beat; readonly atMs: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Remembers what processes say, between questions: one that is replaced later is compared with. */
  note(beats: readonly Beat[]): void {
    const atMs = this.#now();
    for (const beat of beats) if (beat.measured !== undefined) this.#noted.set(beat.agent, { beat, atMs });
    for (const [agent, noted] of this.#noted) if (atMs - noted.atMs > rememberedMs || this.#noted.size > mostSeen) this.#noted.delete(agent);
  }

  /** Takes in what processes say now, and tells what the window holds, by service. */
  read(question: GateQuestion, beats: readonly Beat[]): ServiceWindow[] {
    const key = `${question.release} ${question.before} ${question.sinceMs}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#seen.clear();
    }
    this.note(beats);
    const wave = new Set(question.wave);
    for (const { beat } of this.#noted.values()) this.#take(beat, question, wave.has(beat.target) || wave.has(ownerOf(beat.target)));
    return this.#sum(question);
  }

  #take({ agent, target, service, boot, measured }: Beat, { release, before, sinceMs }: GateQuestion, isInWave: boolean): void {
    const now = this.#now();
    for (const counts of measured?.releases ?? []) {
      if (counts.release !== release && counts.release !== before) continue;
      const id = `${agent} ${counts.sinceMs} ${counts.release}`;
      let seen = this.#seen.get(id);
      if (seen === undefined) {
        if (this.#seen.size >= mostSeen) return;
        seen = { target, service, release: counts.release, isInWave, firstMs: now, from: counts.sinceMs < sinceMs || counts.release === boot ? counts : null, warmUp: [], last: counts };
        this.#seen.set(id, seen);
      }
      seen.last = counts;
      if (counts.sinceMs < sinceMs) continue;
      if (now - seen.firstMs < warmUpMs) seen.warmUp = counts.latency;
      // Before it is ready a new process answers 503 to whoever asks whether it is; a wave is looked at when its processes are.
      if (counts.release === boot && now - seen.firstMs < beatMs + warmUpMs) seen.from = counts;
    }
  }

  #sum({ release, before }: GateQuestion): ServiceWindow[] {
    const services = new Map<string, ServiceWindow & { isInWave: boolean; hasRequests: boolean; total: number }>();
    for (const seen of this.#seen.values()) {
      let window = services.get(seen.service);
      if (window === undefined) services.set(seen.service, (window = { service: seen.service, wave: emptyPool(), others: emptyPool(), past: emptyPool(), isInWave: false, hasRequests: false, total: 0 }));
      window.isInWave ||= seen.isInWave;
      window.total += seen.last.requests + seen.last.open;
      window.hasRequests ||= window.total > probes;
      if (seen.release === release && seen.isInWave) addTo(window.wave, seen, seen.from);
      else if (seen.release === before && !seen.isInWave) addTo(window.others, seen, seen.from);
      else if (seen.release === before) addTo(window.past, seen, null);
    }
    return [...services.values()];
  }
}

/** Threads and children (`web-1#3`, `web-1/77`) belong to the process that was configured. */
function ownerOf(target: string): string {
  return target.replace(/[#/].*$/s, "");
}

function emptyPool(): Pool {
  return { requests: 0, errors: 0, latency: Array.from({ length: latencyBuckets }, () => 0), errorsOf: new Map() };
}

function addTo(pool: Pool, { target, last, warmUp }: Seen, from: ReleaseCounts | null): void {
  const errors = last.errors - (from?.errors ?? 0);
  pool.requests += last.requests - (from?.requests ?? 0);
  pool.errors += errors;
  pool.errorsOf.set(target, (pool.errorsOf.get(target) ?? 0) + errors);
  addLatencies(pool.latency, last.latency);
  // It is not known how long they will take, but that it is longer than this.
  addLatencies(pool.latency, last.waiting ?? []);
  addLatencies(pool.latency, from?.latency ?? warmUp, -1);
}
