import { keyName, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** The name that a value stands for where it is a property's; "?" if that is computed. */
export function lookedFor(key: Node | undefined): string {
  if (key?.type === "PrivateIdentifier") return `#${key.name}`;
  // `Symbol.iterator`
  if (key?.type === "MemberExpression" && key.object.type === "Identifier" && key.object.name === "Symbol") return `[Symbol.${keyName(key.property, key.computed) ?? ""}]`;
  return key?.type === "Literal" ? String(key.value) : "?";
}

/** Members of which a call asks whether they are there; "?": all of them. */
export function membersLookedFor({ arguments: [target, key] }: Call, name: string): readonly string[] {
  switch (name) {
    case "getOwnPropertyNames":
    case "getOwnPropertyDescriptors":
    case "ownKeys":
      return target?.type === "ObjectExpression" ? [] : ["?"];
    case "hasOwnProperty":
      return [lookedFor(target)];
    case "hasOwn":
    case "has":
    case "getOwnPropertyDescriptor":
      return key === undefined ? [] : [lookedFor(key)];
    case "assign":
      // What a prototype was given takes the place of a method, and a method would take its place.
      if (target?.type !== "MemberExpression" || keyName(target.property, target.computed) !== "prototype") return [];
      if (key?.type !== "ObjectExpression") return ["?"];
      return key.properties.map((property) => (property.type === "Property" ? (keyName(property.key, property.computed) ?? "?") : "?"));
    default:
      return [];
  }
}
