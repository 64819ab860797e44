import { MidflightError, parseBeat, type Beat, type Digest } from "@midflight/protocol";
import type { Clock } from "./clock.ts";
import { maxPresenceTtlMs, maxPresent } from "./limits.ts";

interface Present {
  readonly beat: Beat;
  readonly expiresAt: number;
}

/** The newest beat of each agent, forgotten when its time has passed. In memory: agents repeat themselves. */
export class Presence {
  readonly #clock: Clock;
  readonly #byAgent = new Map<string, Present>();
  #sweptAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a beat. True if the agent is new or runs other releases than before.
   * @throws MidflightError `OBJECT_INVALID`; `REGISTRY_REFUSED` when more agents are present than are kept
   */
  beat(value: Beat, ttlMs: number): boolean {
    const beat = parseBeat(value);
    this.#sweep();
    const before = this.#byAgent.get(beat.agent)?.beat;
    if (before === undefined && this.#byAgent.size >= maxPresent) {
      throw new MidflightError("REGISTRY_REFUSED", { what: `More than ${maxPresent} agents are present.`, retryable: true });
    }
    const lifeMs = Number.isFinite(ttlMs) ? Math.min(Math.max(ttlMs, 0), maxPresenceTtlMs) : maxPresenceTtlMs;
    this.#byAgent.set(beat.agent, { beat, expiresAt: this.#clock.now() + lifeMs });
    return before?.boot !== beat.boot || before.live !== beat.live || before.channel !== beat.channel;
  }

  of(channel: string): readonly Beat[] {
    const now = this.#clock.now();
    return [...this.#byAgent.values()].filter((p) => p.expiresAt > now && p.beat.channel === channel).map((p) => p.beat);
  }

  /** Every release that a present process started from or runs. */
  running(): ReadonlySet<Digest> {
    const now = this.#clock.now();
    const releases = new Set<Digest>();
    for (const { beat, expiresAt } of this.#byAgent.values()) {
      if (expiresAt <= now) continue;
      if (beat.boot !== null) releases.add(beat.boot);
      if (beat.live !== null) releases.add(beat.live);
    }
    return releases;
  }

  /** Expired beats are dropped at most once a second, so that a beat stays cheap. */
  #sweep(): void {
    const now = this.#clock.now();
    if (now - this.#sweptAt < 1_000) return;
    this.#sweptAt = now;
    for (const [agent, { expiresAt }] of this.#byAgent) if (expiresAt <= now) this.#byAgent.delete(agent);
  }
}
