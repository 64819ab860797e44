import type { ErrorCode } from "@midflight/protocol";

/** What a command ends with; stable, and documented in docs/reference/cli.md. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 10 | 130;

export const exits: Readonly<Record<"done" | "failed" | "usage" | "refused" | "rolledBack" | "mixed" | "stillRunning" | "changes" | "left", ExitCode>> = {
  done: 0,
  /** A bug of ours, or input and output: the registry cannot be reached, the disk is full. */
  failed: 1,
  /** The command line, the configuration or a confirmation. */
  usage: 2,
  /** A safety check said no; nothing was changed. */
  refused: 3,
  /** It failed and was taken back; the former release serves. */
  rolledBack: 4,
  /** Processes run different releases; a person has to decide. */
  mixed: 5,
  /** `--timeout` ended while it was still going on. */
  stillRunning: 6,
  /** `plan --exit-code`: there are changes. */
  changes: 10,
  /** You left; what was begun goes on. */
  left: 130,
};

const byCode: Readonly<Record<ErrorCode, ExitCode>> = {
  AGENT_NOT_CONFIGURED: 2,
  ARTIFACT_DIGEST_MISMATCH: 3,
  ASSIGN_EXPIRED: 3,
  ASSIGN_REPLAYED: 3,
  BOOT_FAILED_TWICE: 4,
  BUILD_UNRESOLVED_IMPORT: 3,
  BUILD_UNSETTLED: 3,
  CHANNEL_HEAD_MOVED: 3,
  CHANNEL_MISMATCH: 3,
  CODE_DIRECTORY_MISSING: 2,
  COMMAND_INTERRUPTED: 130,
  CONFIG_INVALID: 2,
  CONFIG_NOT_FOUND: 2,
  CONFIRMATION_MISSING: 2,
  CONTROL_ALREADY_RUNNING: 3,
  CONTROL_NOT_RUNNING: 1,
  DISK_FULL: 1,
  ENTRY_MISSING: 3,
  ENVELOPE_MALFORMED: 3,
  EVAL_DISALLOWED: 3,
  FILE_UNREADABLE: 1,
  FLEET_MIXED: 5,
  INTERNAL: 1,
  KEY_MISSING: 2,
  KEY_ROLE_MISSING: 3,
  KEY_UNKNOWN: 3,
  OBJECT_INVALID: 1,
  OBJECT_TOO_LARGE: 1,
  OVERLAY_FAILED: 4,
  PACK_MALFORMED: 1,
  PACKAGES_GONE: 3,
  PLAN_STALE: 3,
  PORT_IN_USE: 1,
  PROCESS_EXITED: 1,
  PROCESS_UNREGISTERED: 3,
  PUBLISHER_ALREADY_RUNNING: 3,
  REGISTRY_REFUSED: 1,
  REGISTRY_STORE_DAMAGED: 1,
  REGISTRY_UNREACHABLE: 1,
  RELEASE_UNKNOWN: 2,
  RELOAD_FAILED: 3,
  REPLACE_FAILED: 4,
  REPLACE_NEEDED: 3,
  REQUESTS_OVERDUE: 3,
  ROLLBACK_NOTHING: 3,
  ROLLOUT_IN_PROGRESS: 3,
  ROLLOUT_NONE: 3,
  ROLLOUT_STOPPED: 4,
  RUNG_TOO_HIGH: 3,
  SIGNATURE_INVALID: 3,
  SWAP_REVERTED: 4,
  SWAP_TIMED_OUT: 6,
  TOKEN_REFUSED: 1,
  TRANSITION_MISSING: 3,
  UNIT_MINIFIED: 3,
  UNIT_SYNTAX: 3,
  USAGE: 2,
};

/** The exit code of a command that an error of this code ended. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  return byCode[code];
}
