import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Leaders of process groups that were started here, by pid. A group stays listed while anything in it lives. */
const groups = new Map<number, { readonly title: string; isLeaderGone: boolean }>();
let isGuardingExit = false;

export interface LivingGroup {
  readonly pid: number;
  readonly title: string;
}

export function watchGroup(pid: number, title: string): void {
  groups.set(pid, { title, isLeaderGone: false });
  guardExit();
}

export function markLeaderGone(pid: number): void {
  const group = groups.get(pid);
  if (group !== undefined) group.isLeaderGone = true;
}

/** Stops watching a group that has been dealt with. */
export function forgetGroup(pid: number): void {
  groups.delete(pid);
}

/** Every group with a process alive in it: a leader, or what an ended leader left behind. */
export function livingGroups(): LivingGroup[] {
  for (const [pid, group] of groups) if (group.isLeaderGone && !isGroupAlive(pid)) groups.delete(pid);
  return [...groups].map(([pid, { title }]) => ({ pid, title }));
}

export function isGroupAlive(pid: number): boolean {
  return signalGroup(pid, 0) && hasLivingMember(pid);
}

/** True once nothing in the group lives; false when that has not happened in time. */
export async function isGroupGoneWithin(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  // The system tells a parent of its own children only; for theirs there is nothing to await.
  while (isGroupAlive(pid)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}

/** False when there is nobody left to receive it. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // EPERM means that somebody is there.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A group of zombies answers signals too; in a container nobody may ever reap them. */
function hasLivingMember(group: number): boolean {
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((entry) => /^\d+$/.test(entry) && isLivingMember(entry, group));
}

function isLivingMember(pid: string, group: number): boolean {
  try {
    // "pid (name) state parent group …"; the name may hold anything, so read from its end.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(processGroup) === group && state !== "Z" && state !== "X";
  } catch {
    // It ended while we looked.
    return false;
  }
}

function killAll(): void {
  for (const { pid } of livingGroups()) signalGroup(pid, "SIGKILL");
}

/** Groups of their own do not hear Ctrl-C: without this they would outlive an interrupted test run. */
function guardExit(): void {
  if (isGuardingExit) return;
  isGuardingExit = true;
  process.once("exit", killAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      killAll();
      process.kill(process.pid, signal);
    });
  }
}
