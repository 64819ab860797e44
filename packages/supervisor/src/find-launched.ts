import fs from "node:fs";
import path from "node:path";
import { identify, type ProcessIdentity } from "./process-identity.ts";
import type { SupervisorPaths } from "./service.ts";

/**
 * Processes that a control of this project launched, by the environment they were given. It finds those whose record was
 * not written any more because control was killed at that moment. Linux only (proc(5)); elsewhere there are none to find.
 */
export function findLaunched(layout: Pick<SupervisorPaths, "states">): readonly { readonly target: string; readonly identity: ProcessIdentity }[] {
  if (process.platform !== "linux") return [];
  const stateRoot = `${layout.states}${path.sep}`;
  return fs.readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    const variables = readVariables(name);
    const state = variables.find((one) => one.startsWith("MIDFLIGHT_STATE="))?.slice("MIDFLIGHT_STATE=".length);
    // Children of an app inherit the variables, but bear the mark of the agent that they come from.
    if (state === undefined || !state.startsWith(stateRoot) || variables.some((one) => one.startsWith("MIDFLIGHT_OWNER_PID="))) return [];
    const identity = isGroupLeader(name) ? identify(Number(name)) : null;
    return identity === null ? [] : [{ target: state.slice(stateRoot.length), identity }];
  });
}

function readVariables(pid: string): readonly string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // another user's, or gone
  }
}

/** The group is the 5th field. */
function isGroupLeader(pid: string): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2] === pid;
  } catch {
    return false;
  }
}
