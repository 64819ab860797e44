import { writeSync } from "node:fs";
import type { Registry } from "@midflight/protocol";

/** The calls that a deploy is made of. */
export const steps = ["head", "read", "presence", "missing", "putBlobs", "append", "getBlobs", "entry", "transition", "report", "beat", "channels"] as const;
export type Step = (typeof steps)[number];
export type Moment = "before" | "after";

/** A registry port that tells of each call, before it begins and after it was answered: the places where a process may be killed. */
export function withSteps(inner: Registry, at: (step: Step, moment: Moment) => void): Registry {
  const told = <A extends readonly unknown[], R>(step: Step, call: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    at(step, "before");
    const result = await call(...args);
    at(step, "after");
    return result;
  };
  return {
    caps: inner.caps,
    onPoke: (channel, poke) => inner.onPoke(channel, poke),
    reports: (query) => inner.reports(query),
    retain: (policy) => inner.retain(policy),
    close: () => inner.close(),
    head: told("head", (channel) => inner.head(channel)),
    read: told("read", (channel, after, limit) => inner.read(channel, after, limit)),
    presence: told("presence", (channel) => inner.presence(channel)),
    missing: told("missing", (digests) => inner.missing(digests)),
    putBlobs: told("putBlobs", (blobs) => inner.putBlobs(blobs)),
    append: told("append", (request) => inner.append(request)),
    getBlobs: told("getBlobs", (digests) => inner.getBlobs(digests)),
    entry: told("entry", (id) => inner.entry(id)),
    transition: told("transition", (from, to) => inner.transition(from, to)),
    report: told("report", (reports) => inner.report(reports)),
    beat: told("beat", (beat, ttlMs) => inner.beat(beat, ttlMs)),
    channels: told("channels", () => inner.channels()),
  };
}

/** Says so, and dies as if the power had gone. */
export function dieNow(where: string): void {
  // A line that is written this way is out before the signal is.
  writeSync(1, `killed ${where}\n`);
  process.kill(process.pid, "SIGKILL");
}
