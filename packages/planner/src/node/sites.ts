import type { BodyForm } from "@midflight/protocol";
import { reservedPrefix } from "@midflight/protocol";
import { contentKey } from "./text.ts";
import { containsOwn, forEachChild, isClass, isFunction, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";

/**
 * A function whose body can be replaced while the function object stays: it gets a guard.
 * Depth 0: reached through the door of the module or its class. Deeper: a closure, reached through the door of
 * the activation that made it.
 */
export interface Site {
  /** Names the site across versions of the unit. */
  readonly key: string;
  /** The guard's variable. */
  readonly slot: string;
  readonly fn: FunctionNode;
  /** Of its statement, and where it begins there: a site that has the same has the same text. */
  readonly origin: object;
  readonly offset: number;
  readonly form: BodyForm;
  readonly name: string;
  readonly usesSuper: boolean;
  readonly usesNewTarget: boolean;
  readonly depth: number;
  readonly owner: Site | null;
  readonly nested: Site[];
  /** The module-level binding that it belongs to; null for code in a statement. */
  readonly binding: string | null;
  readonly className: string | null;
  readonly member: Extract<Node, { type: "MethodDefinition" }> | null;
  /** What a call by property name would use; null if there is none. */
  readonly memberName: string | null;
  /** For a closure passed to a call: the callee's last name. */
  readonly passedTo: string | null;
  /** False for a closure that is only used on the spot. */
  readonly escapes: boolean;
  /** It ends with the request or the call that it was made for. */
  readonly isInFlight: boolean;
  /** True if activations keep a door, because closures that outlive them can be reached. */
  hasDoor: boolean;
  /** A parameter's default makes a function that may outlive the call, and no door reaches. */
  hasParamClosures: boolean;
  /** Why it has no guard; null if it has one. */
  refusal: string | null;
  /** It makes classes, or closures that no door reaches: a change of its text needs a new process. */
  isOpaque: boolean;
}

export interface Sites {
  readonly all: readonly Site[];
  /** Module-level classes whose private scope has a door, by binding or by what of `exports` they are assigned to. */
  readonly classes: ReadonlyMap<string, ClassNode>;
}

/**
 * The class that a value is made with: `(() => { let _decorators = [log]; return class Cart { … }; })()`, as compilers
 * write decorated classes. It is made once, as a class at the top level is; what is around it belongs to its
 * skeleton. Null if there is none, or more than one.
 */
export function classMadeIn(value: Node): ClassNode | null {
  if (value.type !== "CallExpression" || value.arguments.length > 0 || !isFunction(value.callee)) return null;
  const { callee } = value;
  if (callee.params.length > 0 || callee.async || callee.generator || callee.body.type !== "BlockStatement") return null;
  const found: ClassNode[] = [];
  const walk = (node: Node): void => {
    if (isClass(node)) found.push(node);
    else if (!isFunction(node)) forEachChild(node, walk);
  };
  for (const statement of callee.body.body) {
    // In a loop it could be made more than once.
    if (/^(For|While|DoWhile|Try|Labeled|Switch|If|Block)/.test(statement.type) && containsOwn(statement, isClass)) return null;
    walk(statement);
  }
  return found.length === 1 ? found[0]! : null;
}

/** How a site is named to people: `Cart.total()`, `closure get("/items")`. */
export function shownSite({ key, depth }: Site): string {
  if (depth > 0 || key.includes("/") || key.includes(":")) return `closure ${key.replace(/^:/, "")}`;
  return `${key}()`;
}

/** Variable names of guards are made from the key alone, so that two versions of a unit agree on them. */
export function slotName(key: string): string {
  return `${reservedPrefix}_${contentKey(key)}`;
}

export function classDoorName(binding: string): string {
  return `${reservedPrefix}c_${contentKey(binding)}`;
}

/** True if two sites are known to have the same text, and no others inside of them; false says nothing. */
export function isSameText(a: Site, b: Site): boolean {
  return a === b || (a.origin === b.origin && a.offset === b.offset && a.nested.length === 0 && b.nested.length === 0);
}
