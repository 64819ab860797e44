/** Every code a person can meet. Each has a heading of the same name in docs/errors.md (proved by a test). */
export type ErrorCode =
  | "AGENT_NOT_CONFIGURED"
  | "ARTIFACT_DIGEST_MISMATCH"
  | "ASSIGN_EXPIRED"
  | "ASSIGN_REPLAYED"
  | "BOOT_FAILED_TWICE"
  | "BUILD_UNRESOLVED_IMPORT"
  | "BUILD_UNSETTLED"
  | "CHANNEL_HEAD_MOVED"
  | "CHANNEL_MISMATCH"
  | "CODE_DIRECTORY_MISSING"
  | "COMMAND_INTERRUPTED"
  | "CONFIG_INVALID"
  | "CONFIG_NOT_FOUND"
  | "CONFIRMATION_MISSING"
  | "CONTROL_ALREADY_RUNNING"
  | "CONTROL_NOT_RUNNING"
  | "DISK_FULL"
  | "ENTRY_MISSING"
  | "ENVELOPE_MALFORMED"
  | "EVAL_DISALLOWED"
  | "FILE_UNREADABLE"
  | "FLEET_MIXED"
  | "INTERNAL"
  | "KEY_MISSING"
  | "KEY_ROLE_MISSING"
  | "KEY_UNKNOWN"
  | "OBJECT_INVALID"
  | "OBJECT_TOO_LARGE"
  | "OVERLAY_FAILED"
  | "PACKAGES_GONE"
  | "PACK_MALFORMED"
  | "PLAN_STALE"
  | "PORT_IN_USE"
  | "PROCESS_EXITED"
  | "PROCESS_UNREGISTERED"
  | "PUBLISHER_ALREADY_RUNNING"
  | "REGISTRY_REFUSED"
  | "REGISTRY_STORE_DAMAGED"
  | "REGISTRY_UNREACHABLE"
  | "RELEASE_UNKNOWN"
  | "RELOAD_FAILED"
  | "REPLACE_FAILED"
  | "REPLACE_NEEDED"
  | "REQUESTS_OVERDUE"
  | "ROLLBACK_NOTHING"
  | "ROLLOUT_IN_PROGRESS"
  | "ROLLOUT_NONE"
  | "ROLLOUT_STOPPED"
  | "RUNG_TOO_HIGH"
  | "SIGNATURE_INVALID"
  | "SWAP_REVERTED"
  | "SWAP_TIMED_OUT"
  | "TOKEN_REFUSED"
  | "TRANSITION_MISSING"
  | "UNIT_MINIFIED"
  | "UNIT_SYNTAX"
  | "USAGE";

/** The four lines of every error: what happened, why, what serves now, what to do. */
export interface ErrorFacts {
  readonly what: string;
  readonly why?: string;
  /** What serves now; the line other tools forget. */
  readonly state?: string;
  /** Commands or steps, the recommended one first. */
  readonly fix?: readonly string[];
  /** Plain JSON, safe to log and to send over the wire. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** True if the same call may succeed later without a change. Default: false. */
  readonly retryable?: boolean;
}

const brand = Symbol.for("@midflight/error");

/**
 * Base of every error this project throws.
 *
 * Tell errors apart by `code`, never by `instanceof`: a host process may hold
 * two copies of this package.
 */
export class MidflightError extends Error {
  override readonly name = "MidflightError";
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts | string, options?: ErrorOptions) {
    const full = typeof facts === "string" ? { what: facts } : facts;
    super(`${full.what} [${code}]`, options);
    this.code = code;
    this.facts = full;
  }
}
Object.defineProperty(MidflightError.prototype, brand, { value: true });

/** True for a MidflightError of any copy of this package. */
export function isMidflightError(value: unknown): value is MidflightError {
  return typeof value === "object" && value !== null && brand in value;
}
