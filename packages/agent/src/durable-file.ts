import { closeSync, constants, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import path from "node:path";
import { MidflightError } from "@midflight/protocol";

let count = 0;

function temporaryName(file: string): string {
  return `${file}.${process.pid}.${count++}.tmp`;
}

/** Writes a whole file so that after a crash either the old or the new text is there. @throws MidflightError `DISK_FULL`, `FILE_UNREADABLE` */
export async function writeDurably(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = temporaryName(file);
    const handle = await open(temporary, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    // The rename itself is only durable once its directory is.
    const directory = await open(path.dirname(file), "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

/** Adds a line to a file that is there, with one sync; false if it is not there. After a crash the line is whole, or cut off, or missing. @throws MidflightError as `writeDurably` */
export async function appendDurably(file: string, line: string): Promise<boolean> {
  try {
    const handle = await open(file, constants.O_WRONLY | constants.O_APPEND);
    try {
      // It begins a line of its own, whatever a crash has left of the last. All of it: one write may take a part, on a full disk.
      await handle.appendFile(`\n${line}`);
      await handle.datasync();
      // Somebody has put another file in its place meanwhile, or none.
      if ((await handle.stat()).nlink === 0) return false;
    } finally {
      await handle.close();
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw unwritable(file, cause);
  }
}

/** The same as `appendDurably`, at once: for the moment in which the process is about to die. */
export function appendDurablyNow(file: string, line: string): boolean {
  try {
    const handle = openSync(file, constants.O_WRONLY | constants.O_APPEND);
    try {
      writeFileSync(handle, `\n${line}`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw unwritable(file, cause);
  }
}

/** The same as `writeDurably`, at once: for the moment in which the process is about to die. */
export function writeDurablyNow(file: string, text: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = temporaryName(file);
    const handle = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

function unwritable(file: string, cause: unknown): MidflightError {
  const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
  return new MidflightError(
    code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "FILE_UNREADABLE",
    { what: `${file} could not be written (${code}).`, state: "The process runs on with the code it has.", details: { file, code } },
    { cause },
  );
}
