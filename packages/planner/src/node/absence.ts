import { keyName, type Node } from "./syntax.ts";

type Of<T extends Node["type"]> = Extract<Node, { type: T }>;

/** What there is not, where the test holds. */
export function absentIn(test: Node): Node[] {
  if (test.type === "UnaryExpression" && test.operator === "!") return presentIn(test.argument);
  if (test.type === "LogicalExpression") return [...absentIn(test.left), ...absentIn(test.right)];
  if (test.type !== "BinaryExpression") return [];
  const { left, right, operator } = test;
  if (operator === "<") return isNumber(right, 1) && isCount(left) ? [left] : [];
  if (operator === "<=") return isNumber(right, 0) && isCount(left) ? [left] : [];
  if (/^!==?$/.test(operator)) return kindAsked(left, right);
  return /^===?$/.test(operator) ? comparedWithNothing(left, right) : [];
}

/** What there is, where the test holds. */
export function presentIn(test: Node): Node[] {
  switch (test.type) {
    case "Identifier":
    case "MemberExpression":
      return [test];
    case "CallExpression":
      return [test, ...askedByCall(test)];
    case "AwaitExpression":
      return presentIn(test.argument);
    case "AssignmentExpression":
      return [test.left, ...presentIn(test.right)];
    case "ChainExpression":
    case "ParenthesizedExpression":
      return presentIn(test.expression);
    case "UnaryExpression":
      return test.operator === "!" ? absentIn(test.argument) : [];
    case "BinaryExpression": {
      const { left, right, operator } = test;
      if (operator === "in") return [right];
      if (operator === "instanceof") return [left];
      if (operator === ">") return isNumber(right, 0) && isCount(left) ? [left] : [];
      if (operator === ">=") return isNumber(right, 1) && isCount(left) ? [left] : [];
      if (/^===?$/.test(operator)) return kindAsked(left, right);
      return /^!==?$/.test(operator) ? comparedWithNothing(left, right) : [];
    }
    case "LogicalExpression":
      return [...presentIn(test.left), ...presentIn(test.right)];
    default:
      return [];
  }
}

/** `Object.hasOwn(x, key)`, `x.hasOwnProperty(key)`, `hasOwnProperty.call(x, key)`, `Array.isArray(x)`, `Boolean(x)`: x. */
function askedByCall({ callee, arguments: args }: Of<"CallExpression">): Node[] {
  const [first] = args;
  if (callee.type === "Identifier") return callee.name === "Boolean" && first ? presentIn(first) : [];
  if (callee.type !== "MemberExpression") return [];
  const name = keyName(callee.property, callee.computed) ?? "?";
  if (name === "hasOwnProperty") return [callee.object];
  const isOfLanguage = callee.object.type === "Identifier" && /^(Object|Reflect|Array)$/.test(callee.object.name);
  const isBorrowed = name === "call" && callee.object.type === "MemberExpression" && keyName(callee.object.property, callee.object.computed) === "hasOwnProperty";
  return first && (isBorrowed || (isOfLanguage && /^(hasOwn|has|isArray)$/.test(name))) ? [first] : [];
}

/** `x === undefined` on either side, `list.length === 0`. */
function comparedWithNothing(left: Node, right: Node): Node[] {
  if (isNothing(right)) return asked(left);
  if (isNothing(left)) return asked(right);
  if (!isNumber(right, 0)) return [];
  if (left.type === "UpdateExpression") return [left.argument];
  return isCount(left) || left.type === "Identifier" ? [left] : [];
}

/** `typeof x === "number"`: x. */
function kindAsked(left: Node, right: Node): Node[] {
  for (const [one, other] of [[left, right], [right, left]] as const) {
    if (one.type === "UnaryExpression" && one.operator === "typeof" && other.type === "Literal" && other.value !== "undefined") return [one.argument];
  }
  return [];
}

function isCount(node: Node): boolean {
  return node.type === "MemberExpression" && /^(length|size)$/.test(keyName(node.property, node.computed) ?? "");
}

function isNumber(node: Node, value: number): boolean {
  return node.type === "Literal" && node.value === value;
}

/** `typeof x` asks for x, and so does what gives x a name. */
function asked(node: Node): Node[] {
  if (node.type === "AssignmentExpression") return [node.left, node.right];
  return [node.type === "UnaryExpression" && node.operator === "typeof" ? node.argument : node];
}

function isNothing(node: Node): boolean {
  if (node.type === "UnaryExpression") return node.operator === "void";
  return (node.type === "Identifier" && node.name === "undefined") || (node.type === "Literal" && (node.value === null || node.value === "undefined"));
}
