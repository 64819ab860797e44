import type { MemberOp, RemovalOp } from "@midflight/protocol";
import type { FunctionPart } from "./part.ts";
import { createMemberStub, type MemberStub } from "./stubs.ts";
import type { Instance } from "./instance.ts";
import { imitate, ownShape } from "./reflection.ts";

/** Whether requests of an old generation are open, and how a call tells that it is part of one. */
export interface Choice {
  readonly hasOld: boolean;
  readonly isOld: () => boolean;
}

type Undo = () => void;
/** What `PropertyDescriptor` says, with functions that need no object of their own. */
interface Found {
  readonly value?: unknown;
  readonly get?: (() => unknown) | undefined;
  readonly set?: ((next: unknown) => void) | undefined;
  readonly enumerable?: boolean;
  readonly configurable?: boolean;
}
type Placed = Pick<MemberOp, "className" | "isStatic" | "name">;

/** Where a class has its methods: on itself, or on its prototype. Undefined as long as there is no such class. */
function homeOf(instance: Instance, { className, isStatic }: Placed): object | undefined {
  const made = instance.classes.get(className);
  return made === undefined ? undefined : ((isStatic ? made : made.prototype) as object);
}

function keyOf({ className, isStatic, name }: Placed, kind = ""): string {
  return `${className}.${isStatic ? "static " : ""}${kind} ${name}`;
}

/** True if a member that is to be removed is not the one that its class was made with: then it is not ours to remove. */
export function foreignMember(instance: Instance, op: RemovalOp): boolean {
  const home = homeOf(instance, op);
  if (home === undefined || instance.removed.has(keyOf(op))) return false;
  const found: Found | undefined = Object.getOwnPropertyDescriptor(home, op.name);
  if (found?.configurable !== true) return true;
  const texts = [found.value, found.get, found.set].map((part: unknown) => (typeof part === "function" ? Function.prototype.toString.call(part) : ""));
  return !op.slots.every((slot) => texts.some((text) => text.includes(slot)));
}

/** Takes away what the overlay's text no longer has, and gives back what an earlier overlay took away. */
export function writeRemovals(instance: Instance, removals: readonly RemovalOp[], choice: Choice, undo: Undo[]): void {
  const wanted = new Set(removals.map((op) => keyOf(op)));
  for (const [key, giveBack] of instance.removed) {
    if (wanted.has(key)) continue;
    const takeAgain = giveBack();
    instance.removed.delete(key);
    undo.push(() => {
      takeAgain();
      instance.removed.set(key, giveBack);
    });
  }
  for (const op of removals) undo.push(removeMember(instance, op, choice));
}

/** Takes a member of the boot text away; nothing if it is gone, or if its class is not there yet. */
export function removeMember(instance: Instance, op: RemovalOp, choice: Choice): Undo {
  const home = homeOf(instance, op);
  const key = keyOf(op);
  if (home === undefined || instance.removed.has(key)) return () => undefined;
  const descriptor = Object.getOwnPropertyDescriptor(home, op.name)!;
  const order = Reflect.ownKeys(home);
  const undo = hide(instance, home, op.name, choice);
  instance.removed.set(key, () => {
    putBack(home, op.name, descriptor, order);
    return () => void Reflect.deleteProperty(home, op.name);
  });
  return () => {
    instance.removed.delete(key);
    undo();
  };
}

/** Until the old generation has ended, its requests alone still find the member. */
function hide(instance: Instance, home: object, name: string, { hasOld, isOld }: Choice): Undo {
  const descriptor = Object.getOwnPropertyDescriptor(home, name);
  if (descriptor === undefined) return () => undefined;
  const order = Reflect.ownKeys(home);
  if (!hasOld) {
    if (!Reflect.deleteProperty(home, name)) throw new TypeError(`${name} cannot be taken away`);
    return () => putBack(home, name, descriptor, order);
  }
  Object.defineProperty(home, name, forOldOnly(descriptor, home, name, isOld));
  const end = (): void => void Reflect.deleteProperty(home, name);
  instance.ending.add(end);
  return () => {
    instance.ending.delete(end);
    Object.defineProperty(home, name, descriptor);
  };
}

function forOldOnly(own: Found, home: object, name: string, isOld: () => boolean): PropertyDescriptor {
  const parent = (): object => (Object.getPrototypeOf(home) as object | null) ?? Object.create(null) as object;
  return {
    configurable: true, enumerable: own.enumerable ?? false,
    get(this: unknown) {
      if (!isOld()) return Reflect.get<object, string>(parent(), name, this);
      return own.get === undefined ? own.value : Reflect.apply(own.get, this, []);
    },
    set(this: unknown, next: unknown) {
      if (isOld() && own.set !== undefined) Reflect.apply(own.set, this, [next]);
      else Reflect.set(parent(), name, next, this);
    },
  };
}

/** Defines a property where it stood among the others, for whoever lists them. */
function putBack(home: object, name: string, descriptor: PropertyDescriptor, order: readonly PropertyKey[]): void {
  Object.defineProperty(home, name, descriptor);
  for (const key of order.slice(order.indexOf(name) + 1)) {
    const later = Object.getOwnPropertyDescriptor(home, key);
    if (later?.configurable !== true) continue;
    Reflect.deleteProperty(home, key);
    Object.defineProperty(home, key, later);
  }
}

/** Gives a class an added method or accessor, by a stub that later overlays redirect. Returns the undo. */
export function addMember(instance: Instance, op: MemberOp, part: FunctionPart, { hasOld, isOld }: Choice): Undo {
  const home = homeOf(instance, op);
  if (home === undefined) throw new ReferenceError(`class ${op.className} does not exist`);
  const key = keyOf(op, op.kind);
  const known = instance.stubs.get(key) as MemberStub | undefined;
  if (known === undefined) {
    const made = createMemberStub(op, home, isOld);
    made.current = part.value;
    imitate(made.stub, part.like());
    const undo = place(home, op, made);
    instance.stubs.set(key, made);
    return () => {
      undo();
      instance.stubs.delete(key);
    };
  }
  const { current, former, isRetired, stays } = known;
  // Those of the old generation that can call it found it retired, or as it was: either way the former body serves.
  known.former = hasOld ? current : null;
  known.current = part.value;
  const shape = ownShape(known.stub);
  imitate(known.stub, part.like());
  known.isRetired = false;
  known.stays = op.stays;
  const undo = isRetired && !stays ? place(home, op, known) : () => undefined;
  return () => {
    undo();
    shape();
    Object.assign(known, { current, former, isRetired, stays });
  };
}

function place(home: object, { kind, name }: MemberOp, { stub }: MemberStub): Undo {
  const before = Object.getOwnPropertyDescriptor(home, name);
  Object.defineProperty(home, name, { ...(kind === "method" ? { value: stub, writable: true } : { [kind]: stub }), configurable: true, enumerable: false });
  return () => {
    if (before === undefined) Reflect.deleteProperty(home, name);
    else Object.defineProperty(home, name, before);
  };
}

/** Takes away added members that the new overlay does not have. One that has to stay does from now on what the class would inherit. */
export function retireMembers(instance: Instance, kept: readonly MemberOp[], choice: Choice): Undo {
  const keys = new Set(kept.map((op) => keyOf(op, op.kind)));
  const retired: MemberStub[] = [];
  for (const [key, stub] of instance.stubs) {
    if (!("isRetired" in stub) || keys.has(key)) continue;
    const member = stub as MemberStub;
    if (!member.isRetired) retired.push(member);
  }
  const formers = retired.map((member) => member.former);
  const undo: Undo[] = [];
  for (const member of retired) {
    member.isRetired = true;
    member.former = choice.hasOld ? member.current : null;
  }
  for (const member of retired) if (!member.stays) undo.push(takeStub(instance, member, choice));
  return () => {
    while (undo.length > 0) undo.pop()!();
    retired.forEach((member, i) => {
      member.isRetired = false;
      member.former = formers[i]!;
    });
  };
}

function takeStub(instance: Instance, { home, op: { kind, name } }: MemberStub, choice: Choice): Undo {
  const other = kind === "method" ? undefined : Object.getOwnPropertyDescriptor(home, name)?.[kind === "get" ? "set" : "get"];
  const isShared = other !== undefined && ![...instance.stubs.values()].some((stub) => stub.stub === other && "isRetired" in stub && (stub as MemberStub).isRetired);
  if (!isShared) return hide(instance, home, name, choice);
  const before = Object.getOwnPropertyDescriptor(home, name)!;
  Object.defineProperty(home, name, { [kind]: undefined });
  return () => void Object.defineProperty(home, name, before);
}
