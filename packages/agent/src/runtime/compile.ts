import type { BodyOp, CellOp, MemberOp, Piece } from "@midflight/protocol";
import type { Cell, Door, Instance, Pick, Stub } from "./instance.ts";
import type { OverlayUnit } from "./overlay.ts";
import type { Makers } from "./makers.ts";
import type { Expression, Placed } from "./placed.ts";
import { bodyMaker, cellMaker, memberMaker, type Frame } from "./text.ts";

type Function_ = (...args: unknown[]) => unknown;
type Maker<T> = (scope: object, identity: (value: unknown) => unknown, birth: string) => T;

/** Where a text is compiled, and with what it is called. */
export interface Site {
  readonly instance: Instance;
  readonly unit: OverlayUnit;
  readonly placed: Placed;
  readonly scope: object;
  readonly makers: Makers;
}

const identity = (value: unknown): unknown => value;

/** A value made at most once, when it is first needed or when staging asks for it. What it is made of is let go then. */
export class Lazy<T> {
  #make: (() => T) | null;
  #value: T | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get isMade(): boolean {
    return this.#make === null;
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
  /** What was compiled; undefined before, and where each activation has its own. */
  readonly made: () => Function_ | undefined;
}

/** A function to make live. */
export interface FunctionPart extends Part<Function_> {
  /** The function as its text makes it. */
  readonly like: () => Function_;
}

/** A body behind a guard. Compiled once per instance, or, for a closure, once per activation that made it. */
export function bodyPart(site: Site, op: BodyOp): Part<Pick> & { readonly like: (() => Function_) | null } {
  const { instance, unit: { ops }, scope } = site;
  const text = expression(site, bodyMaker(op), op.text);
  if (op.door.kind === "activation") return { ...activationPart(site, text, op), like: null };
  const { door } = op;
  const body = new Lazy<Function_>(() => {
    const made = door.kind === "class" ? makeAtClass(site, door.variable, text) : makeAtModule(site, text.once());
    const [function_, home] = (made as Maker<[Function_, object | undefined]>)(scope, identity, ops.birth);
    if (op.usesSuper && home !== undefined && door.kind === "class") bindHome(home, instance, door.className, door.isStatic);
    return function_;
  });
  return { value: () => body.get(), force: () => void body.get(), like: () => body.get(), made: () => madeOf(body) };
}

function madeOf(body: Lazy<unknown>): Function_ | undefined {
  return body.isMade ? (body.get() as Function_) : undefined;
}

function expression({ placed }: Site, [before, after]: Frame, pieces: readonly Piece[]): Expression {
  return placed.expression(before, pieces, after);
}

function makeAtModule({ instance, makers }: Site, text: string): unknown {
  return makers.make("", instance.door, text);
}

function makeAtClass({ instance, makers }: Site, variable: string, { once }: Expression): unknown {
  return makers.make(variable, instance.door(variable) as Door, once());
}

function activationPart(site: Site, { once, often }: Expression, op: BodyOp): Part<Pick> {
  const { unit: { ops: { birth } }, scope } = site;
  const made = new WeakMap<Door, Function_>();
  // Most functions that make closures run once. Where one runs again and again, V8 does well to keep the text.
  let kept: string | null = null;
  let isFirst = true;
  const value: Pick = (door, shape, born) => {
    // Born under this very text: its inline body is the one. `again`: boot's inline text is the one, too.
    if (born === birth || (op.again && born === "")) return undefined;
    if (door === undefined || shape !== op.shape) return undefined;
    let body = made.get(door);
    if (body === undefined) {
      made.set(door, (body = (door(isFirst ? once() : (kept ??= often())) as Maker<[Function_]>)(scope, identity, birth)[0]));
      isFirst = false;
    }
    return body;
  };
  // Syntax is proved at the module's door; names resolve at each activation's.
  return { value, force: () => void makeAtModule(site, `()=>${once()}`), made: () => undefined };
}

/** `super` in a method looks from its home object's prototype (ECMA-262 §9.1.1.3.5 GetSuperBase). */
function bindHome(home: object, instance: Instance, className: string, isStatic: boolean): void {
  const made = instance.classes.get(className);
  if (made === undefined) throw new ReferenceError(`class ${className} does not exist yet`);
  Object.setPrototypeOf(home, Object.getPrototypeOf(isStatic ? made : made.prototype) as object | null);
}

/** The value of an added or changed constant, variable or class. */
export function cellOf(site: Site, op: CellOp): ValueCell {
  return new ValueCell(op.name, () => {
    if (op.text === null) return undefined;
    return (makeAtModule(site, expression(site, cellMaker(op), op.text).once()) as Maker<unknown>)(site.scope, identity, site.unit.ops.birth);
  });
}

/** An object and not a few closures: those would hold the whole overlay that made it for as long as the cell lives. */
export class ValueCell implements Cell {
  readonly name: string;
  readonly #value: Lazy<unknown>;

  constructor(name: string, make: () => unknown) {
    this.name = name;
    this.#value = new Lazy(make);
  }

  get isMade(): boolean {
    return this.#value.isMade;
  }

  get(): unknown {
    return this.#value.get();
  }

  set(value: unknown): void {
    this.#value.set(value);
  }
}

/** An added function's body, and the stub by which everybody calls it. */
export function functionPart(site: Site, op: CellOp): FunctionPart {
  const body = new Lazy(() => (makeAtModule(site, expression(site, cellMaker(op), op.text ?? []).once()) as Maker<Function_>)(site.scope, identity, site.unit.ops.birth));
  const call = function (this: unknown, ...args: unknown[]): unknown {
    return new.target === undefined ? Reflect.apply(body.get(), this, args) : (Reflect.construct(body.get(), args, new.target) as unknown);
  };
  return { value: call, force: () => void body.get(), like: () => body.get(), made: () => madeOf(body) };
}

export function memberPart(site: Site, op: MemberOp): FunctionPart {
  const { instance, unit: { ops }, scope } = site;
  const text = expression(site, memberMaker(op), op.text);
  const body = new Lazy(() => {
    const [made, home] = (makeAtClass(site, op.variable, text) as Maker<[Function_, object]>)(scope, identity, ops.birth);
    if (op.usesSuper) bindHome(home, instance, op.className, op.isStatic);
    return made;
  });
  return { value(this: unknown, ...args) { return Reflect.apply(body.get(), this, args); }, force: () => void body.get(), like: () => body.get(), made: () => madeOf(body) };
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
