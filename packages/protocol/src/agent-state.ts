/**
 * The life of an agent. The table is total: a state or event added without a row here does not compile, and
 * the diagram in spec/agent.md is proved equal to it by a test. `null` means the event cannot happen in that
 * state; meeting it is a bug, not a condition to handle.
 */
export type AgentState = "starting" | "unregistered" | "following" | "fetching" | "staging" | "swapping" | "probation" | "reverting" | "stopped";
export type AgentEvent = "booted" | "unknown" | "assigned" | "fetched" | "staged" | "refused" | "swapped" | "failed" | "settled" | "reverted" | "stop";

const none = { booted: null, unknown: null, assigned: null, fetched: null, staged: null, refused: null, swapped: null, failed: null, settled: null, reverted: null, stop: "stopped" } as const;

export const agentTransitions: Readonly<Record<AgentState, Readonly<Record<AgentEvent, AgentState | null>>>> = {
  /** The boot release is being found and its transition prepared; the app has not loaded yet. */
  starting: { ...none, booted: "following", unknown: "unregistered" },
  /** Code on disk is of no known release: it runs as it is and is never replaced. */
  unregistered: none,
  /** Waits for the next assign. */
  following: { ...none, assigned: "fetching" },
  /** Reads and verifies what the assign needs; the app is not touched. A newer assign starts it again. */
  fetching: { ...none, assigned: "fetching", fetched: "staging", refused: "following" },
  /** Compiles everything off to the side; the app is not touched. */
  staging: { ...none, staged: "swapping", refused: "following" },
  /** One synchronous commit, with an undo log; then the read-back. */
  swapping: { ...none, swapped: "probation", failed: "following" },
  /** Live; errors within the window take it back. A newer assign ends it. */
  probation: { ...none, assigned: "fetching", settled: "following", failed: "reverting" },
  /** An ordinary swap to what was live before. */
  reverting: { ...none, reverted: "following", failed: "stopped" },
  /** Does nothing any more; the app runs on with what it has. */
  stopped: { ...none, stop: null },
};
