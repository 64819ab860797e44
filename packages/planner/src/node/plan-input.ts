import type { Digest, Hash, Rung, UnitOps, UnitVerdict } from "@midflight/protocol";
import type { AppShape } from "./app.ts";

export interface PlanInput {
  /** What a process was started from. */
  readonly boot: AppShape;
  readonly target: AppShape;
  /** Units that any earlier transition from this boot shape named: closures born under it may be alive. */
  readonly touched?: ReadonlySet<string>;
  /** Units that any earlier transition from this boot shape reloaded. Default: none. */
  readonly reloaded?: ReadonlySet<string>;
  /** What processes run now; a unit that was reloaded and is the same there is left alone. Default: not known. */
  readonly live?: AppShape;
  readonly hash: Hash;
}

/** How a process that booted one shape becomes another, or why it cannot. */
export interface Plan {
  readonly rung: Rung;
  /** One per unit that differs or reads what differs. */
  readonly verdicts: readonly UnitVerdict[];
  /** Empty with rung `replace`. `birth`: source digest of the text that the ops start from. */
  readonly units: readonly { readonly unit: string; readonly birth: Digest; readonly ops: UnitOps }[];
  readonly added: readonly { readonly unit: string; readonly format: "esm" | "cjs" }[];
}
