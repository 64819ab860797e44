import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { exportedBy } from "./exported.ts";
import { declaresHelper, helperOf } from "./helpers.ts";
import { keptByAssignment, keptByChoice, keptByDefinition, keptByGetter, keptByIf, keptByLoop, keptByReturn, keptBySelf, keptByTry, type Kept, type Locals } from "./kept.ts";
import { boundNames, forEachChild, isClass, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** One way in which a name may have got its value, whatever the scope: two variables of one name count as one. */
export type Source =
  | { readonly kind: "function"; readonly fn: FunctionNode }
  | { readonly kind: "class"; readonly node: Node }
  | { readonly kind: "param"; readonly fn: FunctionNode; readonly index: number }
  /** Taken out of an object under a key; `of`: the object, if the pattern was bound to nothing else. */
  | { readonly kind: "member"; readonly key: string; readonly of: Node | null }
  | { readonly kind: "value"; readonly node: Node }
  | { readonly kind: "unknown" };

/** Where the names and members of a unit get their values from. Over-approximates: more sources than there are, never fewer. */
export interface Names {
  readonly sources: ReadonlyMap<string, readonly Source[]>;
  /** Values given to a property of some object, by its key, but for functions that are sites. `spelledKey`: under one that is computed. */
  readonly members: ReadonlyMap<string, readonly Node[]>;
  /** What each function stands in directly. */
  readonly parents: ReadonlyMap<FunctionNode, Node>;
  /** Expressions whose value is computed once and kept: `cache ??= build()`. */
  readonly kept: readonly Kept[];
  /** Names that are used other than by calling them, so that somebody else may call what they stand for. */
  readonly usedAsValue: ReadonlySet<string>;
  /** Properties that are read other than by calling them. "?" if one is computed. */
  readonly readMembers: ReadonlySet<string>;
  /** Calls of the helpers that apply decorators. */
  readonly decorations: readonly Call[];
  /** Getters of exports that only give what another name stands for: nobody calls them as `get`. */
  readonly getters: ReadonlySet<FunctionNode>;
}

type Call = Extract<Node, { type: "CallExpression" }>;

/** Begins the keys that are computed: no name of a property begins so. What follows is the name of what spells it, if it has one. */
export const spelledKey = "\0";

function memberKey(key: Node, computed: boolean): string {
  return keyName(key, computed) ?? (key.type === "Identifier" ? `${spelledKey}${key.name}` : spelledKey);
}

const known = new WeakMap<UnitDetail, Names>();

export function namesOf(detail: UnitDetail): Names {
  let names = known.get(detail);
  if (names === undefined) known.set(detail, (names = collect(detail)));
  return names;
}

function collect(detail: UnitDetail): Names {
  const { program, scopes } = detail;
  const sources = new Map<string, Source[]>();
  const members = new Map<string, Node[]>();
  const parents = new Map<FunctionNode, Node>();
  const put = (name: string, source: Source): void => {
    const list = sources.get(name);
    if (list === undefined) sources.set(name, [source]);
    else list.push(source);
  };
  const member = (key: string, value: Node): void => {
    const list = members.get(key);
    if (list === undefined) members.set(key, [value]);
    else list.push(value);
  };
  const unknown: Source = { kind: "unknown" };
  const readMembers = new Set<string>();
  const decorations: Call[] = [];
  const keeping: Extract<Node, { type: "IfStatement" | "WhileStatement" | "DoWhileStatement" | "ForStatement" | "TryStatement" | "ConditionalExpression" | "LogicalExpression" | "BlockStatement" | "AssignmentExpression" | "MethodDefinition" | "Property" }>[] = [];
  const getters = new Set<FunctionNode>();

  /** `from`: what the whole pattern is bound to, if that is known. */
  const bind = (pattern: Node | null | undefined, from: Source): void => {
    switch (pattern?.type) {
      case "Identifier":
        return put(pattern.name, from);
      case "MemberExpression":
        if (from.kind === "value") member(memberKey(pattern.property, pattern.computed), from.node);
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

  const isHelper = (name: string, node: Node): boolean => detail.facts.declarations.get(name)?.start === node.start && declaresHelper(name, detail);
  const walk = (node: Node, parent: Node): void => {
    if (isFunction(node)) {
      parents.set(node, parent);
      if (node.type !== "ArrowFunctionExpression" && node.id) put(node.id.name, { kind: "function", fn: node });
      if (node.type === "FunctionDeclaration" && node.id && isHelper(node.id.name, node)) return;
      node.params.forEach((param, index) => bind(param, param.type === "RestElement" ? unknown : { kind: "param", fn: node, index }));
    } else if (isClass(node)) {
      if (node.id) put(node.id.name, { kind: "class", node });
    } else {
      switch (node.type) {
        case "CallExpression":
          if (helperOf(node.callee, detail) === "decorate") decorations.push(node);
          for (const { name, value, getter } of exportedBy(node)) {
            member(name, value);
            if (getter !== null && (value.type === "Identifier" || value.type === "MemberExpression")) getters.add(getter);
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
  forEachChild(program, (child) => walk(child, program));
  const areAll = (name: string, test: (value: Node) => boolean): boolean => sources.get(name)?.every((source) => source.kind === "value" && test(source.node)) === true;
  const locals: Locals = { isFresh: (name) => areAll(name, isMadeHere), isOwn: (name) => areAll(name, isOwn), valuesOf: (name) => sources.get(name)?.flatMap((source) => (source.kind === "value" ? [source.node] : [])) ?? [] };
  const kept = keeping.flatMap((node) => {
    switch (node.type) {
      case "IfStatement":
        return keptByIf(node, detail, locals);
      case "WhileStatement":
      case "DoWhileStatement":
      case "ForStatement":
        return keptByLoop(node, detail, locals);
      case "TryStatement":
        return keptByTry(node, detail, locals);
      case "BlockStatement":
        return [...keptByReturn(node.body, detail, locals), ...keptByDefinition(node.body, detail, locals)];
      case "AssignmentExpression":
        return [...keptByAssignment(node, detail, locals), ...keptBySelf(node, detail)];
      case "ConditionalExpression":
      case "LogicalExpression":
        return keptByChoice(node, detail, locals);
      default:
        return keptByGetter(node, detail, locals);
    }
  });
  const usedAsValue = new Set<string>();
  for (const ref of scopes.references) if (ref.role !== "call" && ref.role !== "export" && !ref.isWrite && !isNewCallee(ref.parent, ref.start)) usedAsValue.add(ref.name);
  return { sources, members, parents, kept, usedAsValue, readMembers, decorations, getters };
}

function isMadeHere({ type }: Node): boolean {
  return type === "ObjectExpression" || type === "ArrayExpression";
}

/** `this.cache`, `this.cache || {}`, `this.cache = …` */
function isOwn(node: Node): boolean {
  if (node.type === "AssignmentExpression") return isOwn(node.left);
  if (node.type === "LogicalExpression") return isOwn(node.left) && (isOwn(node.right) || isMadeHere(node.right));
  return node.type === "MemberExpression" && (node.object.type === "ThisExpression" || isOwn(node.object));
}

/** `a.b = …` reads nothing. */
function isTarget(parent: Node, node: Node): boolean {
  return parent.type === "AssignmentExpression" && parent.left === node && parent.operator === "=";
}

function isNewCallee(parent: Node, start: number): boolean {
  return parent.type === "NewExpression" && parent.callee.start === start;
}
