import type { ErrorCode } from "@midflight/protocol";
import { findExchanged } from "./exchange.ts";
import type { InstanceTable } from "./instance-table.ts";
import type { Overlay } from "./overlay.ts";
import { checkRemovals, NotPreparable } from "./prepare.ts";
import { findLost } from "./reflection.ts";
import type { Staged } from "./stage.ts";

export interface Refused {
  readonly kind: "refused";
  readonly code: ErrorCode;
  readonly reason: string;
  readonly unit: string | null;
}

export function refuse(code: ErrorCode, reason: string, unit: string | null): Refused {
  return { kind: "refused", code, reason, unit };
}

/** Closures that an earlier overlay made can be reached only if the transition speaks of their unit. */
export function findIncomplete(overlay: Overlay, table: InstanceTable): Refused | null {
  const named = new Set(overlay.units.map((unit) => unit.ops.unit));
  for (const { hadClosures, unit } of table.changed) {
    if (hadClosures && !named.has(unit)) {
      return refuse("TRANSITION_MISSING", "the transition leaves out a unit whose closures an earlier release reached; it has to be planned again", unit);
    }
  }
  return null;
}

/**
 * Asks again, in the commit, what was asked while staging and may have another answer by now: the app ran in between,
 * may have loaded more of its modules and may have changed its own classes and objects. Null: the answers are the same.
 */
export function findHindrance({ overlay, bringing, prepared }: Staged, table: InstanceTable): Refused | null {
  const incomplete = findIncomplete(overlay, table);
  if (incomplete !== null) return incomplete;
  const exchanged = findExchanged(overlay, bringing, table);
  if (exchanged !== null) return refuse("OVERLAY_FAILED", exchanged.reason, exchanged.unit);
  for (const [instance, { unit, reflecting }] of prepared) {
    const lost = findLost(instance, reflecting);
    if (lost !== null) return lostRefusal(lost, instance.unit);
    try {
      checkRemovals(instance, unit.ops);
    } catch (error) {
      if (error instanceof NotPreparable) return refuse("OVERLAY_FAILED", error.message, instance.unit);
      throw error;
    }
  }
  return null;
}

export function lostRefusal(name: string, unit: string): Refused {
  return refuse("OVERLAY_FAILED", `${name}() has another number of parameters now, or another name, and is not found where it was made`, unit);
}
