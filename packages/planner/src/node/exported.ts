import { calleeName } from "./callees.ts";
import { isFunction, type FunctionNode, type Node } from "./syntax.ts";

/** A property that a call defines on an object. */
export interface Exported {
  readonly name: string;
  readonly value: Node;
  /** The function that gives the value. */
  readonly getter: FunctionNode | null;
}

/** What the getters of a module's exports give, by the exports' names: `__export(all, { price: () => price })`. */
export function exportedBy(call: Extract<Node, { type: "CallExpression" }>): readonly Exported[] {
  const name = calleeName(call.callee);
  const [target, second, third] = call.arguments;
  if (/^(__export|__exportAll|_export)$/.test(name)) {
    const list = second ?? target;
    if (list?.type !== "ObjectExpression") return [];
    return list.properties.flatMap((property) => (property.type === "Property" ? named(property.key, returnedBy(property.value), property.value) : []));
  }
  if (name !== "defineProperty" && name !== "__defProp") return [];
  const value = propertyOf(third, "value");
  const getter = propertyOf(third, "get");
  const key = second?.type === "Literal" ? second : null;
  return key === null ? [] : [...named(key, value, null), ...named(key, getter === null ? null : returnedBy(getter), getter)];
}

function named(key: Node, value: Node | null, by: Node | null): readonly Exported[] {
  const name = key.type === "Identifier" ? key.name : key.type === "Literal" ? String(key.value) : null;
  return value === null || name === null ? [] : [{ name, value, getter: by !== null && isFunction(by) ? by : null }];
}

function returnedBy(node: Node): Node | null {
  if (!isFunction(node)) return null;
  if (node.body.type !== "BlockStatement") return node.body;
  const [statement] = node.body.body;
  return statement?.type === "ReturnStatement" ? (statement.argument ?? null) : null;
}

export function propertyOf(node: Node | undefined, name: string): Node | null {
  if (node?.type !== "ObjectExpression") return null;
  for (const property of node.properties) if (property.type === "Property" && property.key.type === "Identifier" && property.key.name === name) return property.value;
  return null;
}
