import { presenceTtlMs, type Beat, type Registry } from "@midflight/protocol";
import { turn } from "./turn.ts";

export interface PresenceOptions {
  readonly registry: Pick<Registry, "beat">;
  readonly describe: () => Beat;
  readonly signal: AbortSignal;
  readonly onTrouble: (where: string, problem: unknown) => void;
  /** Called once per interval, for work that wants to be done as rarely. */
  readonly onTick?: () => void;
  /** Default: a third of the time that a beat counts. */
  readonly intervalMs?: number;
}

/** Says what the agent is, every few seconds and whenever that changes. One beat at a time; the newest wins. */
export class Presence {
  readonly #options: PresenceOptions;
  #isSending = false;
  #isStale = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const timer = setInterval(() => {
      options.onTick?.();
      this.beat();
    }, options.intervalMs ?? presenceTtlMs / 3).unref();
    options.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  beat(): void {
    this.#isStale = true;
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    const { registry, describe, signal, onTrouble } = this.#options;
    this.#isSending = true;
    // Changes of one turn go out as one beat, which does not draw on the time of what changed.
    await turn.next();
    while (this.#isStale && !signal.aborted) {
      this.#isStale = false;
      try {
        await registry.beat(describe(), presenceTtlMs);
      } catch (problem) {
        onTrouble("beat", problem);
      }
    }
    this.#isSending = false;
  }
}
