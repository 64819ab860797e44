import { isMidflightError, MidflightError } from "@midflight/protocol";

// Result codes of SQLite (sqlite.org/rescode.html); the lower 8 bits are the primary code.
const busy = 5;
const locked = 6;
const ioError = 10;
const corrupt = 11;
const diskFull = 13;
const cannotOpen = 14;
const notADatabase = 26;
const readOnly = 8;

/** Turns what SQLite throws into an error that says what to do. */
export function asStoreError(cause: unknown, path: string): Error {
  if (isMidflightError(cause)) return cause;
  const code = typeof cause === "object" && cause !== null && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : -1;
  const why = cause instanceof Error ? cause.message : String(cause);
  const options = { cause };
  if (isSystemError(cause)) {
    return cause.code === "ENOSPC" || cause.code === "EDQUOT" ? full(path, why, options) : unreadable(path, why, options);
  }
  switch (code) {
    case diskFull:
      return full(path, why, options);
    case corrupt:
    case notADatabase:
      return damaged(path, why, options);
    case busy:
    case locked:
      return new MidflightError("REGISTRY_REFUSED", {
        what: "Another process is writing to the registry's file.",
        why: `SQLite on ${path}: ${why}.`,
        fix: ["Run one control per project."],
        retryable: true,
      }, options);
    case cannotOpen:
    case readOnly:
    case ioError:
      return unreadable(path, why, options);
    default:
      return cause instanceof Error ? cause : new Error(why);
  }
}

function isSystemError(cause: unknown): cause is Error & { readonly code: string } {
  return cause instanceof Error && "syscall" in cause && "code" in cause && typeof cause.code === "string";
}

function full(path: string, why: string, options: ErrorOptions): MidflightError {
  return new MidflightError("DISK_FULL", {
    what: "The registry cannot write: the disk, or the registry's own limit, is full.",
    why: `${path}: ${why}.`,
    state: "Nothing of this write was kept; all that was acknowledged before is there, and processes go on with the code they run.",
    fix: ["Free space on the disk of the registry's file, then run the same command again."],
    retryable: true,
  }, options);
}

function unreadable(path: string, why: string, options: ErrorOptions): MidflightError {
  return new MidflightError("FILE_UNREADABLE", {
    what: `The registry's file ${path} cannot be opened, read or written.`,
    why,
    state: "Nothing of this write was kept.",
    fix: ["Check that the directory exists, and that this user may write to it."],
  }, options);
}

export function damaged(path: string, why: string, options?: ErrorOptions): MidflightError {
  return new MidflightError("REGISTRY_STORE_DAMAGED", {
    what: `The registry's file ${path} is damaged.`,
    why,
    state: "Processes go on with the code they run. The file was left as it is.",
    fix: ["Move the file aside and put a copy back, or start without it: the next deploy publishes everything again."],
  }, options);
}
