import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { exportedBy } from "./exported.ts";
import { declaresHelper, helperOf } from "./helpers.ts";
import { StatementMemo, type ParsedStatement } from "./statements.ts";
import { boundNames, compact, forEachChild, isClass, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** One way in which a name may have got its value, whatever the scope: two variables of one name count as one. */
export type Source =
  | { readonly kind: "function"; readonly fn: FunctionNode }
  | { readonly kind: "class"; readonly node: Node }
  | { readonly kind: "param"; readonly fn: FunctionNode; readonly index: number }
  /** Taken out of an object under a key; `of`: the object, if the pattern was bound to nothing else. */
  | { readonly kind: "member"; readonly key: string; readonly of: Node | null }
  | { readonly kind: "value"; readonly node: Node }
  | { readonly kind: "unknown" };

/** Code by which something that is computed once may be kept. */
export type Keeping = Extract<Node, { type: "IfStatement" | "WhileStatement" | "DoWhileStatement" | "ForStatement" | "TryStatement" | "ConditionalExpression" | "LogicalExpression" | "BlockStatement" | "AssignmentExpression" | "MethodDefinition" | "Property" }>;

/** What an assignment gives something to. */
export interface Target {
  readonly object: Node;
  readonly key: string;
}

export type Call = Extract<Node, { type: "CallExpression" }>;

/** What one statement of a unit's top level adds to what is known of the unit's names. */
export interface StatementNames {
  readonly sources: readonly (readonly [name: string, source: Source])[];
  readonly members: readonly (readonly [key: string, value: Node])[];
  readonly targets: readonly Target[];
  readonly parents: readonly (readonly [fn: FunctionNode, parent: Node])[];
  readonly readMembers: ReadonlySet<string>;
  readonly decorations: readonly Call[];
  readonly getters: readonly FunctionNode[];
  readonly keeping: readonly Keeping[];
}

/** Begins the keys that are computed: no name of a property begins so. What follows is the name of what spells it, if it has one. */
export const spelledKey = "\0";

/** The symbol by which Node calls a method when it writes an object out. */
export const inspectKey: string = `${spelledKey}inspect.custom`;
/** Begins the keys of the language's own symbols. */
export const languageKey: string = `${spelledKey}Symbol.`;

/** `Symbol.iterator`, `util.inspect.custom`: a symbol that is nobody's own, and no name of a property. */
export function wellKnownKey(key: Node): string | null {
  if (key.type !== "MemberExpression") return null;
  const name = keyName(key.property, key.computed);
  if (name !== null && key.object.type === "Identifier" && key.object.name === "Symbol") return `${languageKey}${name}`;
  const isInspect = name === "custom" && (key.object.type === "Identifier" ? key.object.name : key.object.type === "MemberExpression" ? keyName(key.object.property, key.object.computed) : null) === "inspect";
  return isInspect ? inspectKey : null;
}

function memberKey(key: Node, computed: boolean): string {
  return keyName(key, computed) ?? wellKnownKey(key) ?? (key.type === "Identifier" ? `${spelledKey}${key.name}` : spelledKey);
}

const memo = new StatementMemo<StatementNames>();

export function namesInStatement(statement: ParsedStatement, detail: UnitDetail): StatementNames {
  return memo.get(statement) ?? collect(statement, detail);
}

function collect(statement: ParsedStatement, detail: UnitDetail): StatementNames {
  const sources: (readonly [string, Source])[] = [];
  const members: (readonly [string, Node])[] = [];
  const targets: Target[] = [];
  const parents: (readonly [FunctionNode, Node])[] = [];
  const put = (name: string, source: Source): void => void sources.push([name, source]);
  const member = (key: string, value: Node): void => void members.push([key, value]);
  const unknown: Source = { kind: "unknown" };
  const readMembers = new Set<string>();
  const decorations: Call[] = [];
  const keeping: Keeping[] = [];
  const getters: FunctionNode[] = [];
  /** It says something of a compiler's helper, and what that is depends on other statements. */
  let hasHelper = false;

  /** `from`: what the whole pattern is bound to, if that is known. */
  const bind = (pattern: Node | null | undefined, from: Source): void => {
    switch (pattern?.type) {
      case "Identifier":
        return put(pattern.name, from);
      case "MemberExpression":
        if (from.kind === "value") member(memberKey(pattern.property, pattern.computed), from.node);
        targets.push({ object: pattern.object, key: memberKey(pattern.property, pattern.computed) });
        return;
      case "AssignmentPattern":
        bind(pattern.left, from);
        return bind(pattern.left, { kind: "value", node: pattern.right });
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type === "RestElement") bind(property.argument, unknown);
          else {
            const key = keyName(property.key, property.computed);
            bind(property.value, key === null ? unknown : { kind: "member", key, of: from.kind === "value" ? from.node : null });
          }
        }
        return;
      case "ArrayPattern":
        for (const element of pattern.elements) bind(element, unknown);
        return;
      case "RestElement":
        return bind(pattern.argument, unknown);
      default:
        return;
    }
  };

  const isHelper = (name: string, node: Node): boolean => {
    if (!name.startsWith("_")) return false;
    hasHelper = true;
    return detail.facts.declarations.get(name)?.start === node.start && declaresHelper(name, detail);
  };
  const walk = (node: Node, parent: Node): void => {
    if (isFunction(node)) {
      parents.push([node, parent]);
      if (node.type !== "ArrowFunctionExpression" && node.id) put(node.id.name, { kind: "function", fn: node });
      if (node.type === "FunctionDeclaration" && node.id && isHelper(node.id.name, node)) return;
      node.params.forEach((param, index) => bind(param, param.type === "RestElement" ? unknown : { kind: "param", fn: node, index }));
    } else if (isClass(node)) {
      if (node.id) put(node.id.name, { kind: "class", node });
    } else {
      switch (node.type) {
        case "CallExpression":
          if (calleeName(node.callee).startsWith("_")) {
            hasHelper = true;
            if (helperOf(node.callee, detail) === "decorate") decorations.push(node);
          }
          for (const { name, value, getter } of exportedBy(node)) {
            member(name, value);
            if (getter !== null && (value.type === "Identifier" || value.type === "MemberExpression")) getters.push(getter);
          }
          break;
        case "VariableDeclarator":
          if (node.init) bind(node.id, { kind: "value", node: node.init });
          if (node.id.type === "Identifier" && isHelper(node.id.name, node)) return;
          break;
        case "IfStatement":
        case "WhileStatement":
        case "DoWhileStatement":
        case "ForStatement":
        case "TryStatement":
        case "MethodDefinition":
          keeping.push(node);
          break;
        case "ConditionalExpression":
        case "LogicalExpression":
          // Never run: bundlers write `0 && (module.exports = { … })` for whoever reads exports from the text.
          if (node.type === "LogicalExpression" && node.operator === "&&" && node.left.type === "Literal" && !node.left.value) return;
          keeping.push(node);
          break;
        case "BlockStatement":
          keeping.push(node);
          break;
        case "AssignmentExpression":
          keeping.push(node);
          // What runs what decorators have added: those functions were handed over by the decorators.
          if (node.right.type === "CallExpression" && calleeName(node.right.callee).startsWith("_apply_decs")) for (const name of boundNames(node.left)) put(name, { kind: "value", node: node.right });
          else bind(node.left, { kind: "value", node: node.right });
          break;
        case "MemberExpression":
          if (!((parent.type === "CallExpression" || parent.type === "NewExpression") && parent.callee === node) && !isTarget(parent, node)) readMembers.add(keyName(node.property, node.computed) ?? "?");
          break;
        case "ForOfStatement":
        case "ForInStatement":
          bind(node.left.type === "VariableDeclaration" ? node.left.declarations[0]!.id : node.left, unknown);
          break;
        case "CatchClause":
          bind(node.param, unknown);
          break;
        case "Property":
          if (node.kind === "get") keeping.push(node);
          if (parent.type === "ObjectPattern") readMembers.add(keyName(node.key, node.computed) ?? "?");
          else if (node.kind === "init") member(memberKey(node.key, node.computed), node.value);
          break;
        case "PropertyDefinition":
          if (node.value) member(memberKey(node.key, node.computed), node.value);
          break;
        default:
          break;
      }
    }
    forEachChild(node, (child) => walk(child, node));
  };
  walk(statement.node, statement.node);
  const found = { sources: compact(sources), members: compact(members), targets, parents: compact(parents), readMembers, decorations: compact(decorations), getters: compact(getters), keeping: compact(keeping) };
  return hasHelper ? found : memo.set(statement, found);
}

/** `a.b = …` reads nothing. */
function isTarget(parent: Node, node: Node): boolean {
  return parent.type === "AssignmentExpression" && parent.left === node && parent.operator === "=";
}
