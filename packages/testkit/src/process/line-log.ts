import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

export interface WaitOptions {
  /** Default: 60 000. */
  readonly timeoutMs?: number;
}

/** A process that prints for hours must not fill the memory of its test. */
const KEPT_LINES = 20_000;

/** The lines that a stream has carried so far, and those to come. */
export class LineLog {
  readonly #lines: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();

  constructor(stream: Readable) {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    stream.on("data", (chunk: Buffer) => {
      const parts = (rest + decoder.write(chunk)).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) this.#add(part);
    });
    stream.once("end", () => {
      const last = rest + decoder.end();
      if (last !== "") this.#add(last);
    });
    // A pipe that breaks ends the stream; how the process fared is told elsewhere.
    stream.on("error", () => {});
  }

  /** Oldest first; only the newest 20 000 are kept. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Calls back for each new line until the returned function is called. */
  watch(onLine: (line: string) => void): () => void {
    this.#watchers.add(onLine);
    return () => this.#watchers.delete(onLine);
  }

  /** The first line that matches, earlier ones included. Rejects when the signal aborts. */
  find(pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray> {
    const once = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    for (const line of this.#lines) {
      const match = once.exec(line);
      if (match !== null) return Promise.resolve(match);
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        unwatch();
        reject(new Error(String(signal.reason)));
      };
      const unwatch = this.watch((line) => {
        const match = once.exec(line);
        if (match === null) return;
        unwatch();
        signal.removeEventListener("abort", onAbort);
        resolve(match);
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #add(raw: string): void {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const watcher of this.#watchers) watcher(line);
  }
}
