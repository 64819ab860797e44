import { isBuiltin } from "./app.ts";
import { keyName, type Node } from "./syntax.ts";

const pureConstructors = new Set(["Map", "Set", "WeakMap", "WeakSet", "RegExp", "URL", "Date", "Array", "Uint8Array"]);
const pureGlobals = new Set(["Symbol", "String", "Number", "Boolean", "BigInt", "RegExp"]);
const pureStatics = new Set(["Object.freeze", "Object.fromEntries", "Object.entries", "Object.keys", "Object.values", "Object.create", "Array.of", "Array.from", "Symbol.for", "Math.max", "Math.min", "Math.round", "Math.floor", "Math.ceil", "Number.parseInt", "Number.parseFloat", "String.raw", "BigInt.asUintN"]);

/**
 * True if evaluating the expression again has no effect and gives an equal value, as long as the names it reads do:
 * literals, functions, tables, constructors known to do nothing else, and, with `hasRequire`, modules of Node's. `new Date()` without arguments is not.
 * Reading a property is taken to be free of effects; a getter that has some is the app's own exception.
 */
export function isPure(node: Node, source: string, hasRequire = false): boolean {
  const pure = (child: Node | null | undefined): boolean => child === null || child === undefined || isPure(child, source, hasRequire);
  switch (node.type) {
    case "Literal":
    case "TemplateElement":
    case "Identifier":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
    case "FunctionDeclaration":
      return true;
    case "ThisExpression":
      return false;
    case "ObjectExpression":
      return node.properties.every((property) => (property.type === "SpreadElement" ? pure(property.argument) : (!property.computed || pure(property.key)) && pure(property.value)));
    case "ArrayExpression":
      return node.elements.every((element) => pure(element));
    case "SpreadElement":
      return pure(node.argument);
    case "TemplateLiteral":
      return node.expressions.every((expression) => pure(expression));
    case "BinaryExpression":
    case "LogicalExpression":
      return pure(node.left) && pure(node.right);
    case "UnaryExpression":
      return node.operator !== "delete" && pure(node.argument);
    case "ConditionalExpression":
      return pure(node.test) && pure(node.consequent) && pure(node.alternate);
    case "MemberExpression":
      return isStableObject(node, source) && pure(node.object) && (!node.computed || pure(node.property));
    case "ChainExpression":
      return pure(node.expression);
    case "NewExpression":
      return node.callee.type === "Identifier" && pureConstructors.has(node.callee.name) && !(node.callee.name === "Date" && node.arguments.length === 0) && node.arguments.every((argument) => pure(argument));
    case "CallExpression": {
      if (hasRequire && requiredBuiltin(node) !== null) return true;
      const callee = source.slice(node.callee.start, node.callee.end);
      const isKnown = node.callee.type === "Identifier" ? pureGlobals.has(callee) : pureStatics.has(callee);
      // What Array.from is given is called.
      const calls = callee === "Array.from" ? node.arguments[1] : undefined;
      if (calls !== undefined && !(calls.type === "ArrowFunctionExpression" && !calls.async && calls.body.type !== "BlockStatement" && pure(calls.body))) return false;
      return isKnown && node.arguments.every((argument) => pure(argument));
    }
    case "ClassDeclaration":
    case "ClassExpression":
      return (
        (node.superClass === null || node.superClass === undefined || node.superClass.type === "Identifier" || node.superClass.type === "MemberExpression") &&
        node.body.body.every((member) => {
          if (member.type === "StaticBlock") return false;
          if (member.computed && keyName(member.key, true) === null && !pure(member.key)) return false;
          return member.type !== "PropertyDefinition" || !member.static || pure(member.value);
        })
      );
    default:
      return false;
  }
}

/** Modules of Node's that do something when they are loaded. */
const active = /^(node:)?(domain|punycode|sys|repl|test|sqlite|wasi|trace_events|inspector|cluster|process)(\/|$)/;

/** `require("node:fs")`: the specifier; null for anything else, and for modules that do something when they are loaded. */
export function requiredBuiltin(node: Node | null | undefined): string | null {
  const specifier = requiredLiteral(node);
  return specifier !== null && isBuiltin(specifier) && !active.test(specifier) ? specifier : null;
}

/** The specifier of `require("…")`; null for anything else. */
export function requiredLiteral(node: Node | null | undefined): string | null {
  if (node?.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "require" || node.arguments.length !== 1) return null;
  const [specifier] = node.arguments;
  return specifier?.type === "Literal" && typeof specifier.value === "string" ? specifier.value : null;
}

/** What the process is started with differs from one start to the next; a table made from it is state. */
function isStableObject(node: Extract<Node, { type: "MemberExpression" }>, source: string): boolean {
  return !/^(process|performance|globalThis)\b/.test(source.slice(node.start, node.end));
}
