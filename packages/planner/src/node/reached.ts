import type { ArgumentFates } from "./parameters.ts";
import type { Site } from "./sites.ts";
import type { ClassNode, FunctionNode } from "./syntax.ts";

/** Who walks reports what it finds. */
export interface Reached {
  /** A function may be called. */
  call(unit: string, site: Site): void;
  /** A function is kept in a place from which it may be called without its name. */
  keep(unit: string, site: Site, isContained: boolean): void;
  /** A method without a guard is kept under its name. */
  keepMember(unit: string, site: Site, key: string): void;
  /** Something is called that may be any function that is kept. */
  callUnknown(): void;
  /** Something that was in a list, a map or an object may be called. */
  callContained(): void;
  /** A function listens to events. */
  listen(unit: string, site: Site): void;
  /** Code of the app emits an event. */
  callListeners(): void;
  /** A property is called or read, on an object that may be the app's. "?" for a computed one. */
  readonly callMember: (key: string) => void;
  handMember(key: string): void;
  readMember(key: string): void;
  /** It is asked whether there is a property. */
  lookFor(key: string): void;
  /** A property is written: that runs its setter. */
  writeMember(key: string): void;
  /** What is written to a property is called. */
  callWritten(key: string): void;
  /** Every property of an object is read, or given: that runs accessors which nobody names. */
  runAccessors(): void;
  callReturned(site: Site): void;
  /** An instance of a class is made. */
  construct(node: ClassNode): void;
  siteOf(fn: FunctionNode): Site | undefined;
  /** The same for a function that has no guard. */
  partOf(unit: string, fn: FunctionNode): Site;
  readonly parameters: ArgumentFates;
  /** All functions that a call by a property's name may mean; null if others may be meant, too. */
  readonly candidates: (key: string) => readonly Site[] | null;
}
