import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Beat, Digest } from "@midflight/protocol";
import type { Clock } from "./clock.ts";
import { maxPresent, rememberedMs } from "./limits.ts";

/**
 * What processes ran when they were last heard of, on disk: after a restart of the registry, retention must not take
 * a release away from a process whose next beat is still to come. Written only when a process's releases change.
 */
export class RunningReleases {
  readonly #clock: Clock;
  readonly #openedAt: number;
  readonly #note: StatementSync;
  readonly #forget: StatementSync;
  readonly #all: StatementSync;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#openedAt = clock.now();
    this.#note = db.prepare("INSERT OR REPLACE INTO running(agent, boot, live, seen_at) VALUES(?, ?, ?, ?)");
    this.#forget = db.prepare("DELETE FROM running WHERE agent IN (SELECT agent FROM running ORDER BY seen_at DESC LIMIT -1 OFFSET ?)");
    this.#all = db.prepare("SELECT boot, live FROM running");
    this.#forget.run(maxPresent);
  }

  note({ agent, boot, live }: Beat): void {
    this.#note.run(agent, boot, live, this.#clock.now());
  }

  /** What ran before the registry was opened, while it is too early to know better. */
  remembered(): ReadonlySet<Digest> {
    const releases = new Set<Digest>();
    if (this.#clock.now() - this.#openedAt > rememberedMs) return releases;
    for (const row of this.#all.all()) for (const id of [row["boot"], row["live"]]) if (typeof id === "string") releases.add(id as Digest);
    return releases;
  }
}
