import { asArray, asNumber, asRecord, asString } from "@midflight/protocol";

/** `blue` serves now; `green` is the next. */
export type Side = "blue" | "green";
export const sides: readonly Side[] = ["blue", "green"];

/** A process behind the router: the path of the Unix socket that serves what a public socket of that name did. */
export type Upstream = Readonly<Record<string, string>>;

/** Who answers what. The router takes a whole new one at once, see spec/router.md. */
export interface RouterTable {
  /** Pins of another deployment do not count. */
  readonly deployment: string;
  /** Signs pins; hex, a new one for each deployment. */
  readonly key: string;
  /** Which share of what has no pin goes to green: 0 to 1. */
  readonly greenShare: number;
  /** Whether a client stays, by a cookie, on the side that answered it first. */
  readonly isSticky: boolean;
  readonly blue: readonly Upstream[];
  readonly green: readonly Upstream[];
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseRouterTable(value: unknown): RouterTable {
  const table = asRecord(value, "table");
  const upstreams = (side: Side): Upstream[] =>
    asArray(table[side], `table.${side}`, 1000).map((one) => Object.fromEntries(Object.entries(asRecord(one, `table.${side}`)).map(([socket, path]) => [socket, asString(path, `table.${side}`)])));
  return {
    deployment: asString(table["deployment"], "table.deployment", 200),
    key: asString(table["key"], "table.key", 200),
    greenShare: Math.min(1, Math.max(0, asNumber(table["greenShare"], "table.greenShare"))),
    isSticky: table["isSticky"] === true,
    blue: upstreams("blue"),
    green: upstreams("green"),
  };
}

export interface Choice {
  readonly side: Side;
  /** The client has no pin that counts, and is to get one. */
  readonly isNew: boolean;
}

/** Null if no side has a process. @param pinned what a valid pin says @param draw 0 ≤ draw < 1 */
export function chooseSide(table: RouterTable, pinned: Side | null, draw: number): Choice | null {
  if (pinned !== null && table.isSticky && table[pinned].length > 0) return { side: pinned, isNew: false };
  const wanted: Side = draw < table.greenShare ? "green" : "blue";
  const side = table[wanted].length > 0 ? wanted : sides.find((other) => table[other].length > 0);
  return side === undefined ? null : { side, isNew: table.isSticky };
}
