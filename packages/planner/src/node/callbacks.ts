import type { AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { functionNamed, isOnlyCalled } from "./in-flight.ts";
import { Outside } from "./outside.ts";
import { referencesIn } from "./scope.ts";
import type { Site } from "./sites.ts";
import type { Startup } from "./startup.ts";
import { forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** Tells which functions of the app keep a callback although they have the name of something that uses it on the spot. */
export class Callbacks {
  readonly #app: AppShape;
  readonly #unit: string;
  readonly #detail: UnitDetail;
  readonly #startup: Startup;
  readonly #outside: Outside;

  constructor(app: AppShape, unit: string, detail: UnitDetail, startup: Startup) {
    this.#app = app;
    this.#unit = unit;
    this.#detail = detail;
    this.#startup = startup;
    this.#outside = new Outside(app, unit, detail);
  }

  /** What may keep a function that is part of a site's own text, and so follows no change of it; null if nothing of the app's. */
  keeperIn(site: Site): string | null {
    const { byFunction } = this.#detail.facts;
    let keeper: string | null = null;
    const walk = (node: Node, parent: Node): void => {
      if (keeper !== null || (node !== site.fn && isFunction(node) && byFunction.has(node))) return;
      if (isFunction(node) && node !== site.fn) keeper = this.#keeperOf(node, parent, site);
      forEachChild(node, (child) => walk(child, node));
    };
    walk(site.fn, site.fn);
    return keeper;
  }

  #keeperOf(fn: FunctionNode, parent: Node, { fn: region }: Site): string | null {
    if (isCall(parent)) return this.keeps(parent, fn) ? calleeName(parent.callee) : null;
    const name = fn.type === "FunctionDeclaration" ? fn.id?.name : parent.type === "VariableDeclarator" && parent.id.type === "Identifier" ? parent.id.name : undefined;
    for (const ref of name === undefined ? [] : referencesIn(this.#detail.scopes.byName.get(name) ?? [], region.start, region.end)) {
      const call = ref.parent;
      const argument = isCall(call) ? call.arguments.find(({ start }) => start === ref.start) : undefined;
      if (isCall(call) && argument !== undefined && this.keeps(call, argument)) return calleeName(call.callee);
    }
    return null;
  }

  /** True if a function of the app that the call may mean does anything else with that argument than to call it. */
  keeps({ callee, arguments: all }: Call, argument: Node): boolean {
    const index = all.indexOf(argument as never);
    if (index === -1) return false;
    const isSpread = all.slice(0, index).some(({ type }) => type === "SpreadElement");
    return this.#meantBy(callee).some(({ unit, fn }) => isSpread || !isOnlyCalled(this.#app, unit, fn, index, this.#startup.candidates, 0));
  }

  #meantBy(callee: Node): readonly { readonly unit: string; readonly fn: FunctionNode }[] {
    if (callee.type === "ChainExpression") return this.#meantBy(callee.expression);
    if (callee.type === "MemberExpression") return this.#outside.isValue(callee.object) ? [] : this.#startup.functionsUnder(calleeName(callee));
    const found = functionNamed(this.#app, this.#unit, callee);
    return found === null ? [] : [found];
  }
}

function isCall(node: Node): node is Call {
  return node.type === "CallExpression" || node.type === "NewExpression";
}
