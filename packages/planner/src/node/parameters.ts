import { calleeName, fateOutside, type Fate } from "./callees.ts";
import type { Site } from "./sites.ts";
import { boundNames, forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

const strength: Readonly<Record<Fate, number>> = { kept: 0, listening: 1, contained: 2, handed: 3, called: 4 };

export function strongerFate(a: Fate, b: Fate): Fate {
  return strength[a] >= strength[b] ? a : b;
}

const maxDepth = 3;

/** What one of the app's own functions does with the argument at `index`: calls it, stores it, or nothing. */
export function fateInside(fn: FunctionNode, index: number, call: Call, { candidates }: { candidates(key: string): readonly Site[] | null }): Fate {
  if (call.arguments.slice(0, index + 1).some((argument) => argument.type === "SpreadElement")) return "called";
  return fateOf(fn, index, candidates, 0);
}

function fateOf(fn: FunctionNode, index: number, candidates: (key: string) => readonly Site[] | null, depth: number): Fate {
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
        if (is(node.callee)) fate = "called";
        node.arguments.forEach((argument, i) => {
          if (is(argument)) fate = strongerFate(fate, passedOn(node, i));
        });
        break;
      case "MemberExpression":
        if (is(node.object) && /^(call|apply|bind|\?)$/.test(calleeName(node))) fate = "called";
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
        if (isFunction(node) && node !== fn && node.params.some((p) => boundNames(p).includes(name))) return;
    }
    forEachChild(node, walk);
  };
  const passedOn = (call: Call, at: number): Fate => {
    const key = calleeName(call.callee);
    const outside = fateOutside(key, call, call.arguments[at]!, () => null);
    if (call.callee.type !== "MemberExpression") return outside === "contained" ? "handed" : outside;
    const inside = candidates(key);
    if (inside === null) return "called";
    return inside.reduce<Fate>((stronger, site) => strongerFate(stronger, fateOf(site.fn, at, candidates, depth + 1)), outside);
  };
  walk(fn.body);
  return fate;
}

function usesArguments(fn: FunctionNode): boolean {
  if (fn.type === "ArrowFunctionExpression") return false;
  let found = false;
  const walk = (node: Node): void => {
    if (node.type === "Identifier" && node.name === "arguments") found = true;
    else if (!found) forEachChild(node, walk);
  };
  walk(fn.body);
  return found;
}
