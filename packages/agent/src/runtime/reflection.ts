import type { BodyOp } from "@midflight/protocol";
import type { Site } from "./compile.ts";
import { Lazy } from "./lazy.ts";
import type { Step } from "./part.ts";
import type { Instance } from "./instance.ts";

type Function_ = (...args: never[]) => unknown;
type Undo = () => void;

/** A function that is to have the `length` and the `name` of its newer body. */
export interface Reflecting extends Step {
  readonly op: BodyOp;
  readonly like: () => Function_;
  /** Reads the binding under which it is found; undefined while there is none. */
  readonly root: () => unknown;
}

export function reflectingOf({ instance, makers }: Site, op: BodyOp, like: () => Function_): Reflecting {
  const [name] = op.reflect?.path ?? [];
  const root = new Lazy((): (() => unknown) | null => (name === undefined ? null : (makers.make("", instance.door, `()=>${name}`) as () => unknown)));
  return {
    op,
    like,
    root: () => {
      try {
        return root.get()?.();
      } catch {
        // In its dead zone, or not declared.
        return undefined;
      }
    },
    force: () => void root.get(),
  };
}

/** The first function that is not found where its text made it; null if all are. */
export function findLost(instance: Instance, reflecting: readonly Reflecting[]): string | null {
  return reflecting.find((one) => findFunction(instance, one) === null)?.op.name ?? null;
}

/** The function object whose body an operation replaces; null if it is not there, or something else is. */
function findFunction(instance: Instance, { op: { slot, name, door, reflect }, root }: Reflecting): Function_ | null {
  const found = door.kind === "class" ? ownOf(homeOf(instance, door.className, door.isStatic), name) : walkFrom(root, reflect?.path ?? []);
  if (typeof found !== "function" || !Function.prototype.toString.call(found).includes(slot)) return null;
  return Object.isFrozen(found) ? null : (found as Function_);
}

function homeOf(instance: Instance, className: string, isStatic: boolean): unknown {
  const made = instance.classes.get(className);
  return isStatic ? made : made?.prototype;
}

function walkFrom(root: () => unknown, [, ...rest]: readonly string[]): unknown {
  let at = root();
  for (const key of rest) at = ownOf(at, key);
  return at;
}

/** Without running an accessor. */
function ownOf(holder: unknown, key: string): unknown {
  const isHolder = (typeof holder === "object" && holder !== null) || typeof holder === "function";
  return isHolder ? (Object.getOwnPropertyDescriptor(holder, key)?.value as unknown) : undefined;
}

/** Makes functions show what their newer bodies say, and those of an earlier overlay what their text says. One that is not found is left out. */
export function writeReflection(instance: Instance, reflecting: readonly Reflecting[], undo: Undo[]): void {
  const wanted = reflecting.flatMap((one) => {
    const { op, like } = one;
    const fn = findFunction(instance, one);
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
