import type { MemberOp } from "@midflight/protocol";
import type { Stub } from "./instance.ts";

/** What everybody holds of an added function: its identity stays, its body follows the overlay. */
export function createFunctionStub(name: string, isOld: () => boolean): Stub {
  const made: Stub = {
    current: null,
    former: null,
    stub: function (this: unknown, ...args: unknown[]): unknown {
      const current = made.former !== null && isOld() ? made.former : made.current;
      if (current === null) throw new ReferenceError(`${name} is not defined`);
      return new.target === undefined ? Reflect.apply(current, this, args) : (Reflect.construct(current, args, new.target) as unknown);
    },
  };
  Object.defineProperty(made.stub, "name", { value: name, configurable: true });
  return made;
}

export interface MemberStub extends Stub {
  readonly op: MemberOp;
  readonly home: object;
  /** The live overlay does not have it. */
  isRetired: boolean;
  /** Calls under way may still use it then. */
  stays: boolean;
}

/** An added method. Under an overlay without it, it does what the class would inherit. */
export function createMemberStub(op: MemberOp, home: object, isOld: () => boolean): MemberStub {
  const made: MemberStub = {
    op,
    home,
    current: null,
    former: null,
    isRetired: false,
    stays: op.stays,
    stub: function (this: unknown, ...args: unknown[]): unknown {
      if (made.former !== null && isOld()) return Reflect.apply(made.former, this, args);
      if (made.isRetired && op.kind === "method") {
        const inherited = Reflect.get(Object.getPrototypeOf(home) as object, op.name, this) as unknown;
        if (typeof inherited === "function") return Reflect.apply(inherited, this, args) as unknown;
      }
      return Reflect.apply(made.current!, this, args);
    },
  };
  Object.defineProperty(made.stub, "name", { value: op.name, configurable: true });
  return made;
}
