import type { BodyOp, CellOp, Digest, DriftKind, MemberOp, Piece } from "@midflight/protocol";
import type { Site } from "./compile.ts";
import { hasGuard, type Instance, type Stub } from "./instance.ts";
import type { Part } from "./part.ts";
import type { Placed } from "./placed.ts";
import type { Reader } from "./read-texts.ts";
import { headOf } from "./text.ts";

type Function_ = (...args: never[]) => unknown;

/** Reads one text. An object and not a few closures: a release may have thousands, and they stay as long as it is live. */
abstract class TextReader implements Reader {
  readonly #pieces: readonly Piece[];
  readonly #placed: Placed;
  #known: Digest | null = null;

  constructor({ placed }: Site, pieces: readonly Piece[]) {
    this.#placed = placed;
    this.#pieces = pieces;
  }

  abstract readonly declaration: string;

  get head(): string {
    return "";
  }

  get held(): { readonly slot: string; readonly name: string } | null {
    return null;
  }

  abstract body(): Function_ | undefined;
  abstract differs(): DriftKind | null;

  /** Joins the text when it is first asked for, and remembers its digest: the text itself is held by the function that was made of it. */
  isExpected(text: string, digest: Digest): boolean {
    if (this.#known !== null) return digest === this.#known;
    if (text !== this.#placed.textOf(this.#pieces).trim()) return false;
    this.#known = digest;
    return true;
  }
}

class BodyReader extends TextReader {
  readonly #instance: Instance;
  readonly #op: BodyOp;
  readonly #part: Part<unknown>;

  constructor(site: Site, op: BodyOp, part: Part<unknown>) {
    super(site, op.text);
    this.#instance = site.instance;
    this.#op = op;
    this.#part = part;
  }

  get declaration(): string {
    const { door, name } = this.#op;
    return door.kind === "class" ? `${door.className}.${door.isStatic ? "static " : ""}${name}()` : `${name}()`;
  }

  override get head(): string {
    return headOf(this.#op);
  }

  override get held(): { readonly slot: string; readonly name: string } | null {
    return this.#op.door.kind === "module" && this.#op.form === "function" ? this.#op : null;
  }

  body(): Function_ | undefined {
    return this.#part.made() === undefined ? undefined : (this.#instance.read(this.#op.slot) as (() => Function_) | undefined)?.();
  }

  differs(): DriftKind | null {
    const { slot, door } = this.#op;
    if (this.#instance.read(slot) !== this.#instance.written.get(slot)) return "guard";
    const isFound = door.kind === "class" ? classHolds(this.#instance, door.className, door.isStatic, this.#op) : this.#instance.isHeld(slot);
    return isFound ? null : "replaced";
  }
}

/** Of a body behind a guard. Null for closures: each activation has its own, and nobody can list them. */
export function bodyReader(site: Site, op: BodyOp, part: Part<unknown>): Reader | null {
  return op.door.kind === "activation" ? null : new BodyReader(site, op, part);
}

/**
 * What a class has in a member's place is only compared with what it had when it was first asked: an app that puts
 * wrappers on its own classes while it starts is as it should be.
 */
function classHolds(instance: Instance, className: string, isStatic: boolean, { slot, name }: BodyOp): boolean {
  const made = instance.classes.get(className);
  // A private member cannot be replaced, and a constructor is its class.
  if (made === undefined || name.startsWith("#") || name === "constructor") return true;
  const home = (isStatic ? made : made.prototype) as object;
  // Names that are computed, and halves of accessors, are told otherwise than they are looked up. The class itself has the text of all.
  const isThere = holdsGuard(home, name, slot) || Reflect.ownKeys(home).some((key) => key !== "constructor" && holdsGuard(home, key, slot));
  const wasThere = instance.firstThere.get(slot);
  if (wasThere === undefined) instance.firstThere.set(slot, isThere);
  return isThere || wasThere !== true;
}

function holdsGuard(home: object, key: PropertyKey, slot: string): boolean {
  const found = Object.getOwnPropertyDescriptor(home, key) as Record<"value" | "get" | "set", unknown> | undefined;
  return found !== undefined && [found.value, found.get, found.set].some((part) => hasGuard(part, slot));
}

/** Of a function that the overlay adds to a module. */
class FunctionReader extends TextReader {
  readonly declaration: string;
  readonly #part: Part<Function_>;

  constructor(site: Site, op: CellOp, part: Part<Function_>) {
    super(site, op.text ?? []);
    this.declaration = `${op.name}()`;
    this.#part = part;
  }

  body(): Function_ | undefined {
    return this.#part.made();
  }

  differs(): DriftKind | null {
    return null;
  }
}

export function functionReader(site: Site, op: CellOp, part: Part<Function_>): Reader {
  return new FunctionReader(site, op, part);
}

/** Of a method that the overlay adds to a class. */
class MemberReader extends TextReader {
  readonly declaration: string;
  readonly #instance: Instance;
  readonly #op: MemberOp;
  readonly #part: Part<Function_>;

  constructor(site: Site, op: MemberOp, part: Part<Function_>) {
    super(site, op.text);
    this.declaration = `${op.className}.${op.isStatic ? "static " : ""}${op.name}()`;
    this.#instance = site.instance;
    this.#op = op;
    this.#part = part;
  }

  override get head(): string {
    const { isAsync, isGenerator, name } = this.#op;
    return headOf({ form: "method", isAsync, isGenerator, name });
  }

  body(): Function_ | undefined {
    return this.#part.made();
  }

  differs(): DriftKind | null {
    const { className, isStatic, kind, name } = this.#op;
    return memberDiffers(this.#instance, this.#op, this.#instance.stubs.get(`${className}.${isStatic ? "static " : ""}${kind} ${name}`));
  }
}

export function memberReader(site: Site, op: MemberOp, part: Part<Function_>): Reader {
  return new MemberReader(site, op, part);
}

function memberDiffers(instance: Instance, op: MemberOp, stub: Stub | undefined): DriftKind | null {
  const made = instance.classes.get(op.className);
  if (made === undefined || stub === undefined) return null;
  const found = Object.getOwnPropertyDescriptor(op.isStatic ? made : (made.prototype as object), op.name) as Record<"value" | "get" | "set", unknown> | undefined;
  return found?.[op.kind === "method" ? "value" : op.kind] === stub.stub ? null : "replaced";
}
