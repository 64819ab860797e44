import type { ReleaseId } from "@midflight/protocol";
import type { Child } from "./child.ts";
import type { LogFile } from "./log-file.ts";

/** A release that lies on disk, ready to be started from. */
export interface BootRelease {
  readonly release: ReleaseId;
  readonly number: number;
  readonly directory: string;
}

/** One process and what it was started from. */
export interface Running {
  readonly child: Child;
  readonly boot: BootRelease;
  readonly log: Pick<LogFile, "path" | "startBytes">;
  /** Epoch ms. */
  readonly startedAt: number;
  /** An earlier control started it. */
  readonly isAdopted: boolean;
  /** It was given sockets, and takes no connection before it is told to. */
  readonly isGiven: boolean;
}
