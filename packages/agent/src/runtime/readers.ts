import type { BodyOp, CellOp, Digest, DriftKind, MemberOp, Piece } from "@midflight/protocol";
import type { Part, Site } from "./compile.ts";
import { hasGuard, type Instance, type Stub } from "./instance.ts";
import type { Placed } from "./placed.ts";
import type { Reader } from "./read-texts.ts";
import { headOf } from "./text.ts";

type Function_ = (...args: never[]) => unknown;

/** Joins the text when it is first asked for, and remembers its digest: the text itself is held by the function that was made of it. */
function expecting(placed: Placed, pieces: readonly Piece[]): Reader["isExpected"] {
  let known: Digest | null = null;
  return (text, digest) => {
    if (known !== null) return digest === known;
    if (text !== placed.textOf(pieces).trim()) return false;
    known = digest;
    return true;
  };
}

/** Of a body behind a guard. Null for closures: each activation has its own, and nobody can list them. */
export function bodyReader({ instance, placed }: Site, op: BodyOp, part: Part<unknown>): Reader | null {
  const { slot, door, name } = op;
  if (door.kind === "activation") return null;
  const isFound = door.kind === "class" ? classHolds(instance, door.className, door.isStatic, op) : () => instance.isHeld(slot);
  return {
    declaration: door.kind === "class" ? `${door.className}.${door.isStatic ? "static " : ""}${op.name}()` : `${op.name}()`,
    head: headOf(op),
    isExpected: expecting(placed, op.text),
    body: () => (part.made() === undefined ? undefined : (instance.read(slot) as (() => Function_) | undefined)?.()),
    held: door.kind === "module" && op.form === "function" ? { slot, name } : null,
    differs: () => (instance.read(slot) !== instance.written.get(slot) ? "guard" : isFound() ? null : "replaced"),
  };
}

/**
 * What a class has in a member's place is only compared with what it had when it was first asked: an app that puts
 * wrappers on its own classes while it starts is as it should be.
 */
function classHolds(instance: Instance, className: string, isStatic: boolean, { slot, name }: BodyOp): () => boolean {
  return () => {
    const made = instance.classes.get(className);
    // A private member cannot be replaced, and a constructor is its class.
    if (made === undefined || name.startsWith("#") || name === "constructor") return true;
    const home = (isStatic ? made : made.prototype) as object;
    // Names that are computed, and halves of accessors, are told otherwise than they are looked up. The class itself has the text of all.
    const isThere = holdsGuard(home, name, slot) || Reflect.ownKeys(home).some((key) => key !== "constructor" && holdsGuard(home, key, slot));
    const wasThere = instance.firstThere.get(slot);
    if (wasThere === undefined) instance.firstThere.set(slot, isThere);
    return isThere || wasThere !== true;
  };
}

function holdsGuard(home: object, key: PropertyKey, slot: string): boolean {
  const found = Object.getOwnPropertyDescriptor(home, key) as Record<"value" | "get" | "set", unknown> | undefined;
  return found !== undefined && [found.value, found.get, found.set].some((part) => hasGuard(part, slot));
}

/** Of a function that the overlay adds to a module. */
export function functionReader({ placed }: Site, op: CellOp, part: Part<Function_>): Reader {
  return { declaration: `${op.name}()`, head: "", isExpected: expecting(placed, op.text ?? []), body: part.made, held: null, differs: () => null };
}

/** Of a method that the overlay adds to a class. */
export function memberReader({ instance, placed }: Site, op: MemberOp, part: Part<Function_>): Reader {
  const key = `${op.className}.${op.isStatic ? "static " : ""}${op.kind} ${op.name}`;
  return {
    declaration: `${op.className}.${op.isStatic ? "static " : ""}${op.name}()`,
    head: headOf({ form: "method", isAsync: op.isAsync, isGenerator: op.isGenerator, name: op.name }),
    isExpected: expecting(placed, op.text),
    body: part.made,
    held: null,
    differs: () => memberDiffers(instance, op, instance.stubs.get(key)),
  };
}

function memberDiffers(instance: Instance, op: MemberOp, stub: Stub | undefined): DriftKind | null {
  const made = instance.classes.get(op.className);
  if (made === undefined || stub === undefined) return null;
  const found = Object.getOwnPropertyDescriptor(op.isStatic ? made : (made.prototype as object), op.name) as Record<"value" | "get" | "set", unknown> | undefined;
  return found?.[op.kind === "method" ? "value" : op.kind] === stub.stub ? null : "replaced";
}
