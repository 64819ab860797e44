import { keyName, type Node } from "./syntax.ts";

interface Parts {
  visit(node: Node, isKept: boolean): void;
  read(key: string): void;
  write(member: Extract<Node, { type: "MemberExpression" }>): void;
}

/** What a pattern does when it takes a value apart: defaults, computed keys, getters; setters of what it gives something to. */
export function takeApart(node: Node | null | undefined, parts: Parts): void {
  if (!node) return;
  switch (node.type) {
    case "Identifier":
      return;
    case "AssignmentPattern":
      takeApart(node.left, parts);
      return parts.visit(node.right, true);
    case "ObjectPattern":
      for (const property of node.properties) {
        if (property.type === "RestElement") parts.read("?");
        else {
          if (property.computed) parts.visit(property.key, false);
          parts.read(keyName(property.key, property.computed) ?? "?");
          takeApart(property.value, parts);
        }
      }
      return;
    case "ArrayPattern":
      for (const element of node.elements) takeApart(element, parts);
      return;
    case "RestElement":
      return takeApart(node.argument, parts);
    case "MemberExpression":
      parts.visit(node.object, false);
      if (node.computed) parts.visit(node.property, false);
      return parts.write(node);
    default:
      return parts.visit(node, false);
  }
}
