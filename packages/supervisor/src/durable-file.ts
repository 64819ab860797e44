import fs from "node:fs";
import path from "node:path";
import { randomBytes } from "node:crypto";
import { MidflightError } from "@midflight/protocol";

/** For the owner alone: keys, tokens. */
export const secretMode = 0o600;

/** Writes a file so that a reader finds the old text or the new one, never a part, also after a power cut. */
export function writeDurably(file: string, text: string, mode = 0o644): void {
  const temporary = writeAside(file, text, mode);
  try {
    fs.renameSync(temporary, file);
  } catch (error) {
    discard(temporary);
    throw unwritable(file, error);
  }
}

/** As `writeDurably`, but only if the file is not there; false: it was. Two that try at once never both win. */
export function createDurably(file: string, text: string, mode = 0o644): boolean {
  const temporary = writeAside(file, text, mode);
  try {
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unwritable(file, error);
  } finally {
    discard(temporary);
  }
}

/** Null if there is no such file. @throws MidflightError `FILE_UNREADABLE` */
export function readIfThere(file: string): string | null {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new MidflightError("FILE_UNREADABLE", { what: `${file} cannot be read.`, why: reasonOf(error), details: { file } }, { cause: error });
  }
}

/** JSON of a file; null if it is not there or is no JSON. */
export function readJsonIfThere(file: string): unknown {
  try {
    return JSON.parse(readIfThere(file) ?? "null");
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function writeAside(file: string, text: string, mode: number): string {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const fd = fs.openSync(temporary, "wx", mode);
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    discard(temporary);
    throw unwritable(file, error);
  }
  return temporary;
}

/** What is left of an attempt; the attempt's own error is the one to tell. */
function discard(temporary: string): void {
  try {
    fs.rmSync(temporary, { force: true });
  } catch {
    // It was never there.
  }
}

function unwritable(file: string, error: unknown): MidflightError {
  const code = (error as NodeJS.ErrnoException).code;
  return new MidflightError(
    code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "FILE_UNREADABLE",
    { what: `${file} cannot be written.`, why: reasonOf(error), details: { file } },
    { cause: error },
  );
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
