import { calleeName } from "./callees.ts";
import { isFunction, type Node } from "./syntax.ts";

/** What the getters of a module's exports give, by the exports' names: `__export(all, { price: () => price })`. */
export function exportedBy(call: Extract<Node, { type: "CallExpression" }>): readonly (readonly [name: string, value: Node])[] {
  const name = calleeName(call.callee);
  const [target, second, third] = call.arguments;
  if (/^(__export|__exportAll|_export)$/.test(name)) {
    const list = second ?? target;
    if (list?.type !== "ObjectExpression") return [];
    return list.properties.flatMap((property) => (property.type === "Property" ? named(property.key, returnedBy(property.value)) : []));
  }
  if (name !== "defineProperty" && name !== "__defProp") return [];
  const value = propertyOf(third, "value");
  const getter = propertyOf(third, "get");
  const key = second?.type === "Literal" ? second : null;
  return key === null ? [] : [...named(key, value), ...named(key, getter === null ? null : returnedBy(getter))];
}

function named(key: Node, value: Node | null): readonly (readonly [string, Node])[] {
  if (value === null) return [];
  return key.type === "Identifier" ? [[key.name, value]] : key.type === "Literal" ? [[String(key.value), value]] : [];
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
