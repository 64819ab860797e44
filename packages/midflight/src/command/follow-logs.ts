import fs from "node:fs";
import { toPlainLine } from "../output/text.ts";

const pollMs = 100;

/** Hands on each line that is written to some log files from now on, with the process's name before it. */
export function followLogs(files: readonly { readonly target: string; readonly path: string }[], onLine: (line: string) => void): { close(): void } {
  const followers = files.map(({ target, path }) => ({ target, path, offset: fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0, rest: "" }));
  const read = (): void => {
    for (const follower of followers) {
      const size = fs.statSync(follower.path, { throwIfNoEntry: false })?.size ?? 0;
      if (size < follower.offset) follower.offset = 0;
      if (size === follower.offset) continue;
      const bytes = Buffer.alloc(size - follower.offset);
      const fd = fs.openSync(follower.path, "r");
      try {
        follower.offset += fs.readSync(fd, bytes, 0, bytes.length, follower.offset);
      } finally {
        fs.closeSync(fd);
      }
      const lines = (follower.rest + bytes.toString("utf8")).split("\n");
      follower.rest = lines.pop() ?? "";
      for (const line of lines) onLine(`${follower.target} │ ${toPlainLine(line)}`);
    }
  };
  const timer = setInterval(read, pollMs);
  return {
    close: () => {
      clearInterval(timer);
      read();
    },
  };
}
