import { spawnSync } from "node:child_process";
import fs from "node:fs";

/** A process, told apart from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own words; compare for equality only. */
  readonly startedAs: string;
}

/** The process of this number that runs now; null if there is none, or it is dead and only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | null {
  const startedAs = process.platform === "linux" ? readLinuxStart(pid) : readStartByPs(pid);
  return startedAs === null ? null : { pid, startedAs };
}

/** True if this very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAs === identity.startedAs;
}

let bootId: string | undefined;

/** proc(5): the fields after the command's name, which may itself hold spaces and brackets; state is the 3rd, start time the 22nd. */
function readLinuxStart(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    bootId ??= fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${bootId}:${fields[19]}`;
  } catch {
    return null;
  }
}

function readStartByPs(pid: number): string | null {
  const { stdout, status } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", env: { LC_ALL: "C", PATH: "/bin:/usr/bin" } });
  const match = /^\s*(\S+)\s+(.+?)\s*$/.exec(stdout ?? "");
  return status !== 0 || match === null || match[1]!.startsWith("Z") ? null : match[2]!;
}
