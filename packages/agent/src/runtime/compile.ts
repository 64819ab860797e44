import type { BodyOp, CellOp, MemberOp, Piece } from "@midflight/protocol";
import type { Cell, Door, Instance, Pick } from "./instance.ts";
import { Lazy } from "./lazy.ts";
import type { Makers } from "./makers.ts";
import type { OverlayUnit } from "./overlay.ts";
import type { FunctionPart, Part, Step } from "./part.ts";
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

/** What is compiled once per instance. `value` is what others get of it: it holds the body and not what that is made of. */
class Body<T> extends Lazy<Function_> implements Part<T> {
  readonly value: T;

  constructor(make: () => Function_, valueOf: (body: Lazy<Function_>) => T) {
    super(make);
    this.value = valueOf(this);
  }

  force(): void {
    this.get();
  }

  like(): Function_ {
    return this.get();
  }

  made(): Function_ | undefined {
    return this.isMade ? this.get() : undefined;
  }
}

const asPick = (body: Lazy<Function_>): Pick => () => body.get();
const asFunction = (body: Lazy<Function_>): Function_ =>
  function (this: unknown, ...args) {
    return new.target === undefined ? Reflect.apply(body.get(), this, args) : (Reflect.construct(body.get(), args, new.target) as unknown);
  };
/** Called by a stub alone, which is the method that others see. */
const asMethod = (body: Lazy<Function_>): Function_ =>
  function (this: unknown, ...args) {
    return Reflect.apply(body.get(), this, args);
  };

/** A body behind a guard, that shows it. Compiled once per instance, or, for a closure, once per activation that made it. */
export function bodyPart(site: Site, op: BodyOp): Part<Pick> & { like?(): Function_ } {
  const { instance, unit: { ops }, scope } = site;
  const text = expression(site, bodyMaker(op), op.text);
  const { door } = op;
  if (door.kind === "activation") return activationPart(site, text, op);
  const make = (): Function_ => {
    const made = door.kind === "class" ? makeAtClass(site, door.variable, text) : makeAtModule(site, text.once());
    const [function_, home] = (made as Maker<[Function_, object | undefined]>)(scope, identity, ops.birth);
    if (op.usesSuper && home !== undefined && door.kind === "class") bindHome(home, instance, door.className, door.isStatic);
    return function_;
  };
  return new Body(make, asPick);
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
export class ValueCell implements Cell, Step {
  readonly name: string;
  readonly #value: Lazy<unknown>;

  constructor(name: string, make: () => unknown) {
    this.name = name;
    this.#value = new Lazy(make);
  }

  get isMade(): boolean {
    return this.#value.isMade;
  }

  force(): void {
    this.get();
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
  const text = expression(site, cellMaker(op), op.text ?? []);
  return new Body(() => (makeAtModule(site, text.once()) as Maker<Function_>)(site.scope, identity, site.unit.ops.birth), asFunction);
}

export function memberPart(site: Site, op: MemberOp): FunctionPart {
  const { instance, unit: { ops }, scope } = site;
  const text = expression(site, memberMaker(op), op.text);
  const make = (): Function_ => {
    const [made, home] = (makeAtClass(site, op.variable, text) as Maker<[Function_, object]>)(scope, identity, ops.birth);
    if (op.usesSuper) bindHome(home, instance, op.className, op.isStatic);
    return made;
  };
  return new Body(make, asMethod);
}
