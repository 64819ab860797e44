import { asCount, asOneOf, asRecord, invalid } from "./json.ts";

/** What a swap means to requests that are under way. Signed with the assign, so that it holds for all of a channel. */
export interface RequestPolicy {
  /**
   * `request`: a request ends on the code it began with, beside new ones on the new code. `call`: each call takes the
   * newest code, as in Erlang. `drain`: new requests are held until those under way have ended; old and new code never serve side by side.
   */
  readonly kind: "request" | "call" | "drain";
  /** `request`: how long a request may stay on the code it began with, in ms. Default: 10,000. */
  readonly pinMs: number;
  /** `drain`: how long new requests may be held, in ms. Default: 2,000. */
  readonly holdMs: number;
  /** `drain`: how many requests may be held by one process. Default: 1,000. */
  readonly maxHeld: number;
  /**
   * What becomes of a request that is under way beyond its bound. `move-on`: it goes on, call by call, on the new code. `replace`:
   * its process is replaced; under `drain` the swap is given up first, and what was held goes on with the old code. Default: `move-on`.
   */
  readonly straggler: "move-on" | "replace";
}

export const requestPolicies: readonly RequestPolicy["kind"][] = ["request", "call", "drain"];
export const stragglers: readonly RequestPolicy["straggler"][] = ["move-on", "replace"];

export const defaultRequestPolicy: RequestPolicy = { kind: "request", pinMs: 10_000, holdMs: 2_000, maxHeld: 1_000, straggler: "move-on" };

/** The longest that a bound may be: an hour. */
export const maxBoundMs = 3_600_000;

/** @throws MidflightError `OBJECT_INVALID` */
export function parseRequestPolicy(value: unknown, path: string): RequestPolicy {
  const p = asRecord(value, path);
  const bound = (key: "pinMs" | "holdMs"): number => {
    const ms = asCount(p[key], `${path}.${key}`);
    return ms <= maxBoundMs ? ms : invalid(`${path}.${key}`, "at most an hour");
  };
  return {
    kind: asOneOf(p["kind"], requestPolicies, `${path}.kind`),
    pinMs: bound("pinMs"),
    holdMs: bound("holdMs"),
    maxHeld: asCount(p["maxHeld"], `${path}.maxHeld`),
    straggler: asOneOf(p["straggler"], stragglers, `${path}.straggler`),
  };
}
