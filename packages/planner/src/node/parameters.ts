import { calleeName, fateOutside, type Fate } from "./callees.ts";
import type { Site } from "./sites.ts";
import { boundNames, forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

const strength: Readonly<Record<Fate, number>> = { kept: 0, listening: 1, contained: 2, handed: 3, called: 4 };

export function strongerFate(a: Fate, b: Fate): Fate {
  return strength[a] >= strength[b] ? a : b;
}

const maxDepth = 4;

/** What the app's own functions do with what they are given. One per app: answers are kept. */
export class ArgumentFates {
  readonly #candidates: (key: string) => readonly Site[] | null;
  readonly #members = new Map<string, Fate>();
  readonly #functions = new Map<FunctionNode, Map<number, Fate>>();
  readonly #open = new Set<string>();
  /** An answer was needed that is still being found: what was concluded from its absence must not be kept. */
  #isPartial = false;

  /** `candidates`: all functions that a call by a property's name may mean; null if others may be meant, too. */
  constructor(candidates: (key: string) => readonly Site[] | null) {
    this.#candidates = candidates;
  }

  /** What a function does with the argument at `index` of a call: calls it, stores it, or nothing. */
  fateIn(fn: FunctionNode, index: number, call: Call): Fate {
    return spreadsBefore(call, index) ? "called" : this.#fateOf(fn, index, 0);
  }

  /** The same for a call by a property's name. */
  fateInMember(key: string, index: number, call: Call): Fate {
    return spreadsBefore(call, index) ? "called" : this.#memberFate(key, index, 0);
  }

  #memberFate(key: string, index: number, depth: number): Fate {
    const id = `${key} ${index}`;
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    // A cycle adds nothing to what its other parts do.
    if (this.#open.has(id)) {
      this.#isPartial = true;
      return "kept";
    }
    const inside = this.#candidates(key);
    if (inside === null) return "called";
    this.#open.add(id);
    const isOutermost = this.#open.size === 1;
    if (isOutermost) this.#isPartial = false;
    let fate: Fate = "kept";
    for (const { fn } of inside) {
      fate = strongerFate(fate, this.#fateOf(fn, index, depth + 1));
      if (fate === "called") break;
    }
    this.#open.delete(id);
    if (isOutermost || !this.#isPartial || fate === "called") this.#members.set(id, fate);
    return fate;
  }

  #fateOf(fn: FunctionNode, index: number, depth: number): Fate {
    const known = this.#functions.get(fn)?.get(index);
    if (known !== undefined) return known;
    const fate = this.#findFate(fn, index, depth);
    if (this.#open.size === 0 || !this.#isPartial || fate === "called") {
      const all = this.#functions.get(fn);
      if (all === undefined) this.#functions.set(fn, new Map([[index, fate]]));
      else all.set(index, fate);
    }
    return fate;
  }

  #findFate(fn: FunctionNode, index: number, depth: number): Fate {
    const param = fn.params[index] ?? fn.params.at(-1);
    if (param === undefined || (fn.params.length <= index && param.type !== "RestElement")) return usesArguments(fn) ? "called" : "kept";
    const target = param.type === "AssignmentPattern" ? param.left : param;
    // Taken apart: what is called then is called by its property's name.
    if (target.type !== "Identifier") return "handed";
    if (depth > maxDepth || usesArguments(fn)) return "called";
    const name = boundNames(target)[0]!;
    let fate: Fate = "kept";
    const is = (node: Node | null | undefined): boolean => node?.type === "Identifier" && node.name === name;
    const walk = (node: Node): void => {
      switch (node.type) {
        case "CallExpression":
        case "NewExpression":
          // `param[name](…)` may be `param.call(…)`.
          if (is(node.callee) || (node.callee.type === "MemberExpression" && is(node.callee.object) && calleeName(node.callee) === "?")) fate = "called";
          node.arguments.forEach((argument, i) => {
            if (is(argument)) fate = strongerFate(fate, this.#passedOn(node, i, depth));
          });
          break;
        case "MemberExpression":
          if (is(node.object) && /^(call|apply|bind)$/.test(calleeName(node))) fate = "called";
          break;
        case "TaggedTemplateExpression":
          fate = "called";
          break;
        case "Identifier":
          if (is(node)) fate = strongerFate(fate, "contained");
          break;
        case "VariableDeclarator":
        case "AssignmentExpression":
          // Under another name it would be lost sight of.
          if (node.type === "VariableDeclarator" ? is(node.init) : is(node.right) && node.left.type !== "MemberExpression") fate = strongerFate(fate, "handed");
          break;
        default:
          if (isFunction(node) && node !== fn && node.params.some((inner) => boundNames(inner).includes(name))) return;
      }
      forEachChild(node, walk);
    };
    walk(fn.body);
    return fate;
  }

  #passedOn(call: Call, at: number, depth: number): Fate {
    const key = calleeName(call.callee);
    const outside = fateOutside(key, call, call.arguments[at]!, () => null);
    if (call.callee.type !== "MemberExpression") return outside === "contained" ? "handed" : outside;
    // No function of the app's is `Object.defineProperty` or `JSON.stringify`.
    const { object } = call.callee;
    if (object.type === "Identifier" && /^(Object|Reflect|JSON|Math)$/.test(object.name)) return outside;
    return strongerFate(outside, this.#memberFate(key, at, depth));
  }
}

function spreadsBefore(call: Call, index: number): boolean {
  return call.arguments.slice(0, index + 1).some((argument) => argument.type === "SpreadElement");
}

function usesArguments(fn: FunctionNode): boolean {
  if (fn.type === "ArrowFunctionExpression") return false;
  let found = false;
  const walk = (node: Node): void => {
    // How many there are tells nothing of what they are.
    if (node.type === "MemberExpression" && !node.computed && node.object.type === "Identifier" && node.property.type === "Identifier" && node.property.name === "length") return;
    if (node.type === "Identifier" && node.name === "arguments") found = true;
    else if (!found) forEachChild(node, walk);
  };
  walk(fn.body);
  return found;
}
