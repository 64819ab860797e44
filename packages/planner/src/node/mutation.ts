import type { UnitDetail } from "./analyze.ts";
import { boundNames, forEachChild, isFunction, type Node } from "./syntax.ts";

/** Methods of arrays, maps and sets that change them. */
const mutators = new Set(["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "set", "add", "delete", "clear", "assign", "defineProperty"]);

/** What a unit's code may change of objects that it did not make on the spot. */
export interface Mutations {
  /** Property names that are assigned, on anything but `this` and fresh locals. */
  readonly properties: ReadonlySet<string>;
  /** Roots (names) whose computed members are assigned or on which a mutating method is called; "?" for an expression. */
  readonly roots: ReadonlySet<string>;
}

const known = new WeakMap<UnitDetail, Mutations>();

/** Finds, without following values, everything that could change an object reachable from a table. */
export function findMutations(detail: UnitDetail): Mutations {
  let found = known.get(detail);
  if (found === undefined) known.set(detail, (found = collect(detail.program)));
  return found;
}

function collect(program: Node): Mutations {
  const properties = new Set<string>();
  const roots = new Set<string>();
  const assigned = (target: Node, fresh: ReadonlySet<string>): void => {
    if (target.type !== "MemberExpression") return;
    const root = rootOf(target);
    if (root === "this" || fresh.has(root)) return;
    if (!target.computed && target.property.type === "Identifier") properties.add(target.property.name);
    else roots.add(root);
    if (target.object.type === "Identifier") roots.add(root);
  };
  const walk = (node: Node, fresh: ReadonlySet<string>): void => {
    let inner = fresh;
    switch (node.type) {
      case "AssignmentExpression":
        assigned(node.left, fresh);
        break;
      case "UpdateExpression":
        assigned(node.argument, fresh);
        break;
      case "UnaryExpression":
        if (node.operator === "delete") assigned(node.argument, fresh);
        break;
      case "CallExpression":
        if (node.callee.type === "MemberExpression" && node.callee.property.type === "Identifier" && mutators.has(node.callee.property.name)) {
          const isStatic = node.callee.object.type === "Identifier" && node.callee.object.name === "Object";
          const root = isStatic && node.arguments[0] ? rootOf(node.arguments[0]) : rootOf(node.callee);
          if (root !== "this" && !fresh.has(root)) roots.add(root);
        }
        break;
      default:
        if (isFunction(node)) inner = new Set([...fresh, ...freshLocals(node)]);
    }
    forEachChild(node, (child) => walk(child, inner));
  };
  walk(program, new Set());
  return { properties, roots };
}

/** Locals of a function that hold an object made there: what is done to them cannot reach a table. */
function freshLocals(fn: Node): string[] {
  const names: string[] = [];
  const walk = (node: Node): void => {
    if (node.type === "VariableDeclarator" && node.init && isFresh(node.init)) names.push(...boundNames(node.id));
    forEachChild(node, (child) => {
      if (!isFunction(child)) walk(child);
    });
  };
  forEachChild(fn, walk);
  return names;
}

function isFresh(node: Node): boolean {
  switch (node.type) {
    case "ObjectExpression":
    case "ArrayExpression":
    case "NewExpression":
    case "TemplateLiteral":
    case "Literal":
      return true;
    default:
      return false;
  }
}

function rootOf(node: Node): string {
  let at = node;
  for (;;) {
    if (at.type === "MemberExpression") at = at.object;
    else if (at.type === "ChainExpression") at = at.expression;
    else break;
  }
  return at.type === "ThisExpression" ? "this" : at.type === "Identifier" ? at.name : "?";
}

/** The property names that an initialiser's own objects have, and whether it has objects at all. */
export function tableShape(value: Node): { readonly isTable: boolean; readonly properties: ReadonlySet<string> } {
  const properties = new Set<string>();
  let isTable = false;
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "ObjectExpression" || node.type === "ArrayExpression" || node.type === "NewExpression") isTable = true;
    if (node.type === "Property" && !node.computed && node.key.type === "Identifier") properties.add(node.key.name);
    forEachChild(node, walk);
  };
  walk(value);
  return { isTable, properties };
}
