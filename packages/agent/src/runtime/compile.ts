import type { BodyOp, CellOp, MemberOp, Piece } from "@midflight/protocol";
import type { Cell, Door, Instance, Pick, Stub } from "./instance.ts";
import type { OverlayUnit } from "./overlay.ts";
import type { Placed } from "./placed.ts";
import { bodyMaker, cellMaker, memberMaker, type Frame } from "./text.ts";

type Function_ = (...args: unknown[]) => unknown;
type Maker<T> = (scope: object, identity: (value: unknown) => unknown, birth: string) => T;

/** Where a text is compiled, and with what it is called. */
export interface Site {
  readonly instance: Instance;
  readonly unit: OverlayUnit;
  readonly placed: Placed;
  readonly scope: object;
}

const identity = (value: unknown): unknown => value;

/** A value made at most once, when it is first needed or when staging asks for it. */
export class Lazy<T> {
  #make: (() => T) | null;
  #value: T | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get(): T {
    if (this.#make !== null) {
      this.#value = this.#make();
      this.#make = null;
    }
    return this.#value as T;
  }

  set(value: T): void {
    this.#make = null;
    this.#value = value;
  }
}

/** Something to make live: what will be written, and what must be compiled before. */
export interface Part<T> {
  readonly value: T;
  /** Compiles; called while staging, or by the first use where the app had not loaded yet. */
  readonly force: () => void;
}

/** A body behind a guard. Compiled once per instance, or, for a closure, once per activation that made it. */
export function bodyPart({ instance, unit: { ops }, placed, scope }: Site, op: BodyOp): Part<Pick> {
  const maker = expression(placed, bodyMaker(op), op.text);
  if (op.door.kind === "activation") return activationPart(instance, maker, op, ops.birth, scope);
  const { door } = op;
  const body = new Lazy<unknown>(() => {
    const open = door.kind === "class" ? (instance.door(door.variable) as Door) : instance.door;
    const [made, home] = (open(maker) as Maker<[Function_, object | undefined]>)(scope, identity, ops.birth);
    if (op.usesSuper && home !== undefined && door.kind === "class") bindHome(home, instance, door.className, door.isStatic);
    return made;
  });
  return { value: () => body.get(), force: () => void body.get() };
}

function expression(placed: Placed, [before, after]: Frame, pieces: readonly Piece[]): string {
  return placed.expression(before, pieces, after);
}

function activationPart(instance: Instance, maker: string, op: BodyOp, birth: string, scope: object): Part<Pick> {
  const made = new WeakMap<Door, Function_>();
  const value: Pick = (door, shape, born) => {
    // Born under this very text: its inline body is the one. `again`: boot's inline text is the one, too.
    if (born === birth || (op.again && born === "")) return undefined;
    if (door === undefined || shape !== op.shape) return undefined;
    let body = made.get(door);
    if (body === undefined) made.set(door, (body = (door(maker) as Maker<[Function_]>)(scope, identity, birth)[0]));
    return body;
  };
  // Syntax is proved at the module's door; names resolve at each activation's.
  return { value, force: () => void instance.door(`()=>${maker}`) };
}

/** `super` in a method looks from its home object's prototype (ECMA-262 §9.1.1.3.5 GetSuperBase). */
function bindHome(home: object, instance: Instance, className: string, isStatic: boolean): void {
  const made = instance.classes.get(className);
  if (made === undefined) throw new ReferenceError(`class ${className} does not exist yet`);
  Object.setPrototypeOf(home, Object.getPrototypeOf(isStatic ? made : made.prototype) as object | null);
}

/** The value of an added or changed constant, variable or class. */
export function cellOf({ instance, unit: { ops }, placed, scope }: Site, op: CellOp): Cell & { force(): void } {
  const value = new Lazy<unknown>(() => {
    if (op.text === null) return undefined;
    return (instance.door(expression(placed, cellMaker(op), op.text)) as Maker<unknown>)(scope, identity, ops.birth);
  });
  return { kind: op.kind, name: op.name, get: () => value.get(), set: (next) => value.set(next), force: () => void value.get() };
}

/** An added function's body, and the stub by which everybody calls it. */
export function functionPart({ instance, unit: { ops }, placed, scope }: Site, op: CellOp): Part<Function_> {
  const body = new Lazy(() => (instance.door(expression(placed, cellMaker(op), op.text ?? [])) as Maker<Function_>)(scope, identity, ops.birth));
  const call = function (this: unknown, ...args: unknown[]): unknown {
    return new.target === undefined ? Reflect.apply(body.get(), this, args) : (Reflect.construct(body.get(), args, new.target) as unknown);
  };
  return { value: call, force: () => void body.get() };
}

export function memberPart({ instance, unit: { ops }, placed, scope }: Site, op: MemberOp): Part<Function_> {
  const maker = expression(placed, memberMaker(op), op.text);
  const body = new Lazy(() => {
    const [made, home] = ((instance.door(op.variable) as Door)(maker) as Maker<[Function_, object]>)(scope, identity, ops.birth);
    if (op.usesSuper) bindHome(home, instance, op.className, op.isStatic);
    return made;
  });
  return { value(this: unknown, ...args) { return Reflect.apply(body.get(), this, args); }, force: () => void body.get() };
}

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
