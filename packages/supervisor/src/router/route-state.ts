import fs from "node:fs";
import { asArray, asCount, asNullable, asOneOf, asRecord, asString } from "@midflight/protocol";
import { readJsonIfThere, secretMode, writeDurably } from "../durable-file.ts";
import { parseRouterTable, type RouterTable } from "./table.ts";

const phases = ["inserting", "routing", "removing"] as const;

/** What is written down of a router before it is done, so that whoever comes after a crash goes on with it; see spec/router.md. */
export interface RouteState {
  readonly phase: (typeof phases)[number];
  readonly target: string;
  /** Names of the public sockets that it routes. */
  readonly sockets: readonly string[];
  /** The router's process; null: not started yet. */
  readonly pid: number | null;
  readonly table: RouterTable;
  /** Processes that were told to stop accepting and to stay. */
  readonly stayed: readonly number[];
}

export function writeRouteState(file: string, state: RouteState): void {
  writeDurably(file, `${JSON.stringify(state)}\n`, secretMode);
}

export function removeRouteState(file: string): void {
  fs.rmSync(file, { force: true });
}

/** Null if there is no router. @throws MidflightError `OBJECT_INVALID` */
export function readRouteState(file: string): RouteState | null {
  const value = readJsonIfThere(file);
  if (value === null) return null;
  const state = asRecord(value, "router");
  return {
    phase: asOneOf(state["phase"], phases, "router.phase"),
    target: asString(state["target"], "router.target"),
    sockets: asArray(state["sockets"], "router.sockets", 1000).map((socket) => asString(socket, "router.sockets")),
    pid: asNullable(state["pid"], asCount, "router.pid"),
    table: parseRouterTable(state["table"]),
    stayed: asArray(state["stayed"], "router.stayed", 1000).map((pid) => asCount(pid, "router.stayed")),
  };
}
