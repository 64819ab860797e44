import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MidflightError } from "@midflight/protocol";
import { errnoOf } from "./stable-read.ts";

export interface PublisherLock {
  release(): void;
}

/**
 * Makes sure that a channel has one publisher that deploys by itself. The system lets go of the lock when its process
 * ends, however it ends. Publishers elsewhere are kept apart by the channel's compare-and-set.
 *
 * @throws MidflightError `PUBLISHER_ALREADY_RUNNING`
 */
export function lockPublisher(options: { readonly directory: string; readonly channel: string }): PublisherLock {
  const name = path.join(options.directory, `publisher-${encodeURIComponent(options.channel)}`);
  mkdirSync(options.directory, { recursive: true });
  // A lock of SQLite is a lock of the system: the only one that Node offers without a native add-on.
  const database = new DatabaseSync(`${name}.lock`);
  const owner = `${name}.json`;
  try {
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (!/locked|busy/i.test(String(cause))) throw cause;
    throw alreadyRunning(options.channel, readOwner(owner), cause);
  }
  writeFileSync(owner, JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() }), { mode: 0o600 });
  return {
    release() {
      rmSync(owner, { force: true });
      database.close();
    },
  };
}

function readOwner(file: string): string {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, "utf8")) as { pid: number; startedAt: string };
    return `process ${pid}, since ${startedAt}`;
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? "a process that is just starting" : "another process";
  }
}

function alreadyRunning(channel: string, owner: string, cause: unknown): MidflightError {
  return new MidflightError(
    "PUBLISHER_ALREADY_RUNNING",
    {
      what: `${channel} is watched and deployed by ${owner} already.`,
      why: "Two that deploy the same code by themselves would only overtake each other.",
      state: "The first one goes on; nothing was done here.",
      fix: ["Use the first one, or end it."],
      details: { channel },
    },
    { cause },
  );
}
