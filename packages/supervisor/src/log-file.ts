import fs from "node:fs";
import path from "node:path";

/** What a process prints goes straight to this file, so it outlives control, and no pipe breaks when control ends. */
export interface LogFile {
  readonly path: string;
  /** Where this start of the process begins. */
  readonly startBytes: number;
}

const maxKeptBytes = 16 << 20;
const tailBytes = 64 << 10;

export function openLogFile(file: string): LogFile {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // The former half is kept beside it; a log never grows without bound over restarts.
  if ((fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxKeptBytes) fs.renameSync(file, `${file}.1`);
  return { path: file, startBytes: fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0 };
}

/** The last lines that were written after `fromBytes`; at most `lines`, empty ones left out. */
export function readLastLines(file: string, fromBytes: number, lines: number): string[] {
  return readEnd(file, fromBytes).split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-lines);
}

/** The first address that a process printed: where it serves, if nothing else says so. */
export function findPrintedUrl(file: string, fromBytes: number): string | null {
  const match = /\bhttps?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|[\w.-]+):(\d{2,5})\b/.exec(readEnd(file, fromBytes));
  if (match === null) return null;
  const host = match[1] === "0.0.0.0" || match[1] === "[::]" ? "127.0.0.1" : match[1]!;
  return `http://${host}:${match[2]}`;
}

function readEnd(file: string, fromBytes: number): string {
  let fd: number;
  try {
    fd = fs.openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const size = fs.fstatSync(fd).size;
    const start = Math.max(Math.min(fromBytes, size), size - tailBytes);
    const bytes = Buffer.alloc(size - start);
    return bytes.toString("utf8", 0, fs.readSync(fd, bytes, 0, bytes.length, start));
  } finally {
    fs.closeSync(fd);
  }
}
