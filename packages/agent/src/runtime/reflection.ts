import type { BodyOp } from "@midflight/protocol";
import type { Instance } from "./instance.ts";

type Function_ = (...args: never[]) => unknown;
type Undo = () => void;

/** A function that is to have the `length` and the `name` of its newer body. */
export interface Reflecting {
  readonly op: BodyOp;
  readonly like: () => Function_;
}

/** The first function that is not found where its text made it; null if all are. */
export function findLost(instance: Instance, reflecting: readonly Reflecting[]): string | null {
  return reflecting.find(({ op }) => findFunction(instance, op) === null)?.op.name ?? null;
}

/** The function object whose body an operation replaces; null if it is not there, or something else is. */
function findFunction(instance: Instance, { slot, name, door, reflect }: BodyOp): Function_ | null {
  const found = door.kind === "class" ? ownOf(homeOf(instance, door.className, door.isStatic), name) : walkTo(instance, reflect?.path ?? []);
  if (typeof found !== "function" || !Function.prototype.toString.call(found).includes(slot)) return null;
  return Object.isFrozen(found) ? null : (found as Function_);
}

function homeOf(instance: Instance, className: string, isStatic: boolean): unknown {
  const made = instance.classes.get(className);
  return isStatic ? made : made?.prototype;
}

function walkTo(instance: Instance, [root, ...rest]: readonly string[]): unknown {
  if (root === undefined) return undefined;
  try {
    let at = instance.door(root);
    for (const key of rest) at = ownOf(at, key);
    return at;
  } catch {
    // In its dead zone, or not declared.
    return undefined;
  }
}

/** Without running an accessor. */
function ownOf(holder: unknown, key: string): unknown {
  const isHolder = (typeof holder === "object" && holder !== null) || typeof holder === "function";
  return isHolder ? (Object.getOwnPropertyDescriptor(holder, key)?.value as unknown) : undefined;
}

/** Makes functions show what their newer bodies say, and those of an earlier overlay what their text says. */
export function writeReflection(instance: Instance, reflecting: readonly Reflecting[], undo: Undo[]): void {
  const wanted = reflecting.flatMap(({ op, like }) => {
    const fn = findFunction(instance, op);
    return fn === null ? [] : [{ fn, like, name: op.reflect?.name ?? fn.name }];
  });
  const fns = new Set(wanted.map(({ fn }) => fn));
  for (const [fn, giveBack] of instance.imitating) {
    if (fns.has(fn)) continue;
    const again = ownShape(fn);
    giveBack();
    instance.imitating.delete(fn);
    undo.push(() => {
      again();
      instance.imitating.set(fn, giveBack);
    });
  }
  for (const { fn, like, name } of wanted) {
    const giveBack = ownShape(fn);
    const isNew = !instance.imitating.has(fn);
    if (isNew) instance.imitating.set(fn, giveBack);
    shape(fn, like().length, name);
    undo.push(() => {
      giveBack();
      if (isNew) instance.imitating.delete(fn);
    });
  }
}

/** Returns what restores a function's `length` and `name` as they are now. */
export function ownShape(fn: Function_): Undo {
  const { length, name } = fn;
  return () => shape(fn, length, name);
}

/** For a function that is made only to stand for another. */
export function imitate(fn: Function_, { length, name }: Function_): void {
  shape(fn, length, name);
}

function shape(fn: Function_, length: number, name: string): void {
  Object.defineProperty(fn, "length", { value: length, configurable: true });
  Object.defineProperty(fn, "name", { value: name, configurable: true });
}
