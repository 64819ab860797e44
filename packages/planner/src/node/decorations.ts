import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { decorated, functionsIn, isCalmDecorator, returnedFunctions, type Decorated } from "./decorators.ts";
import { helperOf } from "./helpers.ts";
import type { Lookup } from "./lookup.ts";
import { namesOf } from "./names.ts";
import type { Outside } from "./outside.ts";
import type { Reached } from "./reached.ts";
import type { FunctionNode, Node } from "./syntax.ts";

/** The decorators of one unit: which functions they are, and what applying them does. */
export class Decorations {
  readonly #detail: UnitDetail;
  readonly #lookup: Lookup;
  readonly #outside: Outside;
  readonly #candidates: Reached["candidates"];

  constructor(detail: UnitDetail, lookup: Lookup, outside: Outside, candidates: Reached["candidates"]) {
    this.#detail = detail;
    this.#lookup = lookup;
    this.#outside = outside;
    this.#candidates = candidates;
  }

  /**
   * What becomes of what is decorated: `none`: only packages' decorators get it; `keeps`: it is wrapped, or put where
   * the app can find it; `calls`: anything.
   */
  effectOf({ decorators, key, isMethod }: Decorated): "none" | "keeps" | "calls" {
    const own = decorators.filter((decorator) => decorator.type !== "CallExpression" || !(this.#outside.isFunction(decorator.callee) || helperOf(decorator.callee, this.#detail) !== null));
    if (own.length === 0) return "none";
    const functions = own.map((decorator) => this.#decoratorsOf(decorator));
    if (!functions.every((list) => list !== null && list.every(isCalmDecorator))) return "calls";
    if (functions.every((list) => functionsIn(list ?? []).length === 0)) return "keeps";
    // What it makes stands in for the method, and is called by the method's name: see `replacements`.
    const isReplaced = isMethod && key !== null && this.#candidates(key)?.every(({ member }) => member === null || member.kind === "method") === true;
    return isReplaced ? "keeps" : "calls";
  }

  /** Whatever decorators may make, by the names of the methods that it stands in for. */
  *replacements(): Generator<readonly [key: string, fn: FunctionNode]> {
    for (const call of namesOf(this.#detail).decorations) {
      for (const { decorators, key } of decorated(calleeName(call.callee), call.arguments, this.#detail) ?? []) {
        if (key === null) continue;
        for (const decorator of decorators) {
          const callee = decorator.type === "CallExpression" ? decorator.callee : decorator;
          for (const fn of functionsIn(this.#functionsOf(callee) ?? [])) yield [key, fn];
        }
      }
    }
  }

  /** The functions that a decorator, or a call for one, may be; null if others may be meant. */
  #decoratorsOf(decorator: Node): readonly FunctionNode[] | null {
    const functions = this.#functionsOf(decorator.type === "CallExpression" ? decorator.callee : decorator);
    if (functions === null || functions.length === 0) return null;
    if (decorator.type !== "CallExpression") return functions;
    const returned = functions.map(returnedFunctions);
    return returned.includes(null) ? null : returned.flatMap((list) => list ?? []);
  }

  #functionsOf(node: Node): readonly FunctionNode[] | null {
    if (node.type === "MemberExpression") return this.#candidates(calleeName(node))?.map(({ fn }) => fn) ?? null;
    const fn = this.#lookup.functionOf(node);
    return fn === null ? null : [fn];
  }
}
