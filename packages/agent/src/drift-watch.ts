import type { Drift } from "@midflight/protocol";
import type { Readings, Runtime } from "./runtime/runtime.ts";

export interface DriftWatchOptions {
  readonly runtime: Pick<Runtime, "readTexts">;
  /** Called when drift is found, has changed, or is gone. */
  readonly onDrift: (drift: readonly Drift[]) => void;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** Knows what somebody else changed in the code of this process, as of the last reading. */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  #found: readonly Drift[] = [];
  #isLooking = false;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  get found(): readonly Drift[] {
    return this.#found;
  }

  /** Reads what is live. Null if a swap came in between, or if it could not be read. Never rejects. */
  async read(): Promise<Readings | null> {
    const { runtime, onDrift, onTrouble } = this.#options;
    try {
      const readings = await runtime.readTexts();
      if (readings === null) return null;
      const isNews = JSON.stringify(readings.drift) !== JSON.stringify(this.#found);
      this.#found = readings.drift;
      if (isNews) onDrift(readings.drift);
      return readings;
    } catch (problem) {
      onTrouble("read-back", problem);
      return null;
    }
  }

  /** The same, for who comes by regularly: one look at a time. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.read();
    this.#isLooking = false;
  }
}
