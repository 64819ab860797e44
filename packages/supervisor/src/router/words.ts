import { asCount, asOneOf, asRecord } from "@midflight/protocol";
import { parseRouterTable, sides, type RouterTable, type Side } from "./table.ts";

/** What a supervisor asks of a router, one JSON object a line; each is answered. */
export type RouterRequest =
  /** A whole new table, at once. */
  | { readonly kind: "route"; readonly id: number; readonly table: RouterTable }
  /** Answered when nothing is under way to that side. */
  | { readonly kind: "settle"; readonly id: number; readonly side: Side }
  | { readonly kind: "count"; readonly id: number };

export type RouterAnswer =
  | { readonly kind: "done"; readonly id: number }
  | { readonly kind: "counted"; readonly id: number; readonly counts: RouterCounts };

export interface RouterCounts {
  /** Requests that were sent on and have not ended. */
  readonly underWay: Readonly<Record<Side, number>>;
  /** Event streams, and connections whose protocol was changed: what has no end to wait for. */
  readonly endless: Readonly<Record<Side, number>>;
  /** Requests that were begun, since the router started. */
  readonly begun: Readonly<Record<Side, number>>;
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseRouterRequest(value: unknown): RouterRequest {
  const request = asRecord(value, "request");
  const id = asCount(request["id"], "request.id");
  const kind = asOneOf(request["kind"], ["route", "settle", "count"] as const, "request.kind");
  switch (kind) {
    case "route":
      return { kind, id, table: parseRouterTable(request["table"]) };
    case "settle":
      return { kind, id, side: asOneOf(request["side"], sides, "request.side") };
    case "count":
      return { kind, id };
  }
}
