import fs from "node:fs";
import { randomBytes } from "node:crypto";
import { MidflightError } from "@midflight/protocol";
import { createDurably, identify, isRunning, readJsonIfThere, writeDurably, type ProcessIdentity } from "@midflight/supervisor";
import type { Layout } from "./layout.ts";

/** Who holds a project: the one control that opened its registry. Holds no secret. */
export interface ControlFile extends ProcessIdentity {
  /** Of the registry; null while it starts. */
  readonly url: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface Hold {
  /** Tells others where the registry is. */
  publish(url: string): void;
  /** Gives the project free. */
  release(): void;
}

/** The control that runs for a project now; null if none does, also when one was killed. */
export function readRunningControl(layout: Layout): ControlFile | null {
  const file = readControlFile(layout);
  return file !== null && isRunning(file) ? file : null;
}

/**
 * Takes hold of a project. What a killed control left behind is taken over.
 * @throws MidflightError `CONTROL_ALREADY_RUNNING`
 */
export function takeHold(layout: Layout): Hold {
  const own: ControlFile = { ...identify(process.pid)!, url: null, startedAt: new Date().toISOString() };
  for (let attempt = 0; !createDurably(layout.control, encode(own)); attempt++) {
    const holder = readRunningControl(layout);
    if (holder !== null || attempt > 20) throw alreadyRunning(holder);
    removeStale(layout);
  }
  const isOwn = (): boolean => {
    const now = readControlFile(layout);
    return now !== null && now.pid === own.pid && now.startedAs === own.startedAs;
  };
  return {
    publish: (url) => writeDurably(layout.control, encode({ ...own, url })),
    release: () => {
      if (isOwn()) fs.rmSync(layout.control, { force: true });
    },
  };
}

/** Two that find the same stale file may not remove each other's new one: it is moved aside and looked at first. */
function removeStale(layout: Layout): void {
  const aside = `${layout.control}.${randomBytes(6).toString("hex")}.stale`;
  try {
    fs.renameSync(layout.control, aside);
  } catch {
    return; // somebody else removed it
  }
  const moved = parseControlFile(readJsonIfThere(aside));
  if (moved !== null && isRunning(moved)) {
    try {
      fs.linkSync(aside, layout.control);
    } catch {
      // a third one holds it by now; the next round finds it
    }
  }
  fs.rmSync(aside, { force: true });
}

function readControlFile(layout: Layout): ControlFile | null {
  return parseControlFile(readJsonIfThere(layout.control));
}

function parseControlFile(value: unknown): ControlFile | null {
  if (typeof value !== "object" || value === null) return null;
  const { pid, startedAs, url, startedAt } = value as Partial<Record<keyof ControlFile, unknown>>;
  if (!Number.isSafeInteger(pid) || typeof startedAs !== "string" || typeof startedAt !== "string") return null;
  return { pid: pid as number, startedAs, url: typeof url === "string" ? url : null, startedAt };
}

function encode(file: ControlFile): string {
  return `${JSON.stringify(file)}\n`;
}

function alreadyRunning(holder: ControlFile | null): MidflightError {
  return new MidflightError("CONTROL_ALREADY_RUNNING", {
    what: `midflight up runs already for this project${holder === null ? "" : `, as process ${holder.pid}`}.`,
    why: "one control holds a project's registry and its processes.",
    state: "the first one goes on, untouched.",
    fix: ["midflight status", "midflight deploy", ...(holder === null ? [] : [`kill ${holder.pid}   (ends it and its processes)`])],
    details: holder === null ? {} : { pid: holder.pid, startedAt: holder.startedAt },
  });
}
