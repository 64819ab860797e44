import { declareLexical, declareVars } from "./declared-names.ts";
import { StatementMemo, type ParsedStatement } from "./statements.ts";
import { boundNames, compact, forEachChild, isClass, isFunction, type ClassNode, type FunctionNode, type Node, type Statement } from "./syntax.ts";

/** How a reference stands in the text: that decides how it may be rewritten. */
export type RefRole = "ref" | "call" | "short" | "export";

/** One use of a name. `where`: what the name resolves to from there (ECMA-262 §9.4.2 ResolveBinding, done statically). */
export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly where: "module" | "local" | "global";
  readonly role: RefRole;
  readonly isWrite: boolean;
  readonly parent: Node;
}

/** What the names in one statement of a unit's top level mean. Depends on the statement and on the unit's own names alone. */
export interface ResolvedStatement {
  readonly moduleNames: ReadonlySet<string>;
  readonly isSloppy: boolean;
  /** In source order. */
  readonly references: readonly Reference[];
  readonly blockNames: ReadonlyMap<FunctionNode, ReadonlySet<string>>;
  readonly bodyNames: ReadonlyMap<FunctionNode, ReadonlySet<string>>;
  readonly isDynamic: boolean;
}

interface Scope {
  readonly names: Set<string>;
  readonly parent: Scope | null;
  readonly isModule: boolean;
  /** Seen by code compiled at the enclosing function's (or the module's) top level. */
  readonly isTop: boolean;
}

const memo = new StatementMemo<ResolvedStatement>();

/** Resolves the names of a statement; what was found in it before holds as long as its names mean the same. */
export function resolveStatement(statement: ParsedStatement, moduleNames: ReadonlySet<string>, isSloppy: boolean): ResolvedStatement {
  const before = memo.get(statement);
  if (before !== undefined && before.isSloppy === isSloppy && meansTheSame(before, moduleNames)) return before;
  return memo.set(statement, resolve(statement.node, moduleNames, isSloppy));
}

function meansTheSame(before: ResolvedStatement, moduleNames: ReadonlySet<string>): boolean {
  return before.moduleNames === moduleNames || before.references.every(({ name, where }) => where === "local" || (where === "module") === moduleNames.has(name));
}

const none: ReadonlyMap<FunctionNode, ReadonlySet<string>> = new Map();

function resolve(statement: Statement, moduleNames: ReadonlySet<string>, isSloppy: boolean): ResolvedStatement {
  const references: Reference[] = [];
  let isDynamic = false;
  // Nothing is added to it.
  const moduleScope: Scope = { names: moduleNames as Set<string>, parent: null, isModule: true, isTop: true };
  const blockNames = new Map<FunctionNode, Set<string>>();
  const bodyNames = new Map<FunctionNode, Set<string>>();
  const open = (parent: Scope, names: Iterable<string> = [], isTop = false): Scope => ({ names: new Set(names), parent, isModule: false, isTop });
  const whereIs = (name: string, from: Scope): Reference["where"] => {
    for (let scope: Scope | null = from; scope !== null; scope = scope.parent) {
      if (scope.names.has(name)) return scope.isModule ? "module" : "local";
    }
    return "global";
  };
  const refer = (node: Extract<Node, { type: "Identifier" }>, scope: Scope, parent: Node, role: RefRole, isWrite: boolean): void => {
    references.push({ name: node.name, start: node.start, end: node.end, where: whereIs(node.name, scope), role, isWrite, parent });
  };

  function pattern(node: Node | null | undefined, scope: Scope, declares: boolean, parent: Node): void {
    switch (node?.type) {
      case undefined:
        return;
      case "Identifier":
        if (!declares) refer(node, scope, parent, "ref", true);
        return;
      case "ObjectPattern":
        for (const property of node.properties) {
          if (property.type === "RestElement") pattern(property.argument, scope, declares, property);
          else {
            if (property.computed) visit(property.key, scope, property);
            if (property.shorthand && !declares) {
              const target = property.value.type === "AssignmentPattern" ? property.value.left : property.value;
              if (target.type === "Identifier") refer(target, scope, property, "short", true);
              if (property.value.type === "AssignmentPattern") visit(property.value.right, scope, property.value);
            } else pattern(property.value, scope, declares, property);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of node.elements) pattern(element, scope, declares, node);
        return;
      case "AssignmentPattern":
        pattern(node.left, scope, declares, node);
        visit(node.right, scope, node);
        return;
      case "RestElement":
        pattern(node.argument, scope, declares, node);
        return;
      default:
        visit(node, scope, parent);
    }
  }

  function visitFunction(node: FunctionNode, outer: Scope): void {
    let scope = outer;
    const hidden = new Set<string>();
    for (let block = outer; !block.isTop; block = block.parent!) for (const name of block.names) hidden.add(name);
    if (hidden.size > 0) blockNames.set(node, hidden);
    if (node.type === "FunctionExpression" && node.id) scope = open(scope, [node.id.name], true);
    scope = open(scope, node.params.flatMap((param) => boundNames(param)), true);
    if (node.type !== "ArrowFunctionExpression") scope.names.add("arguments");
    for (const param of node.params) pattern(param, scope, true, node);
    if (node.body.type !== "BlockStatement") return visit(node.body, scope, node);
    const body = open(scope, [], true);
    declareLexical(node.body.body, body.names);
    for (const statement of node.body.body) declareVars(statement, body.names, isSloppy);
    if (body.names.size > 0 && node.params.some((param) => param.type !== "Identifier")) bodyNames.set(node, body.names);
    for (const statement of node.body.body) visit(statement, body, node.body);
  }

  function visitClass(node: ClassNode, outer: Scope): void {
    // A class's own name is bound again inside it; a module-level declaration's inner binding is the same class.
    const scope = node.id && !(node.type === "ClassDeclaration" && outer.isModule) ? open(outer, [node.id.name], outer.isTop) : outer;
    if (node.superClass) visit(node.superClass, scope, node);
    for (const member of node.body.body) visit(member, scope, node.body);
  }

  function visitBlock(body: readonly Node[], scope: Scope, parent: Node): void {
    const inner = open(scope);
    declareLexical(body, inner.names);
    for (const statement of body) visit(statement, inner, parent);
  }

  function visit(node: Node | null | undefined, scope: Scope, parent: Node): void {
    if (!node) return;
    if (isFunction(node)) return visitFunction(node, scope);
    if (isClass(node)) return visitClass(node, scope);
    switch (node.type) {
      case "Identifier":
        return refer(node, scope, parent, roleOf(node, parent), parent.type === "UpdateExpression");
      case "MemberExpression":
        visit(node.object, scope, node);
        if (node.computed) visit(node.property, scope, node);
        return;
      case "Property":
        if (node.computed) visit(node.key, scope, node);
        if (node.shorthand && node.value.type === "Identifier") return refer(node.value, scope, node, "short", false);
        return visit(node.value, scope, node);
      case "MethodDefinition":
      case "PropertyDefinition":
        if (node.computed) visit(node.key, scope, node);
        return visit(node.value, scope, node);
      case "StaticBlock": {
        const inner = open(scope);
        for (const statement of node.body) declareVars(statement, inner.names, isSloppy);
        declareLexical(node.body, inner.names);
        for (const statement of node.body) visit(statement, inner, node);
        return;
      }
      case "BlockStatement":
        return visitBlock(node.body, scope, node);
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = open(scope);
        const head = node.type === "ForStatement" ? node.init : node.left;
        if (head?.type === "VariableDeclaration") declareLexical([head], inner.names);
        if (node.type !== "ForStatement" && node.left.type !== "VariableDeclaration") {
          pattern(node.left, inner, false, node);
          visit(node.right, inner, node);
          return visit(node.body, inner, node);
        }
        forEachChild(node, (child) => visit(child, inner, node));
        return;
      }
      case "SwitchStatement": {
        visit(node.discriminant, scope, node);
        const inner = open(scope);
        for (const item of node.cases) declareLexical(item.consequent, inner.names);
        for (const item of node.cases) {
          visit(item.test, inner, item);
          for (const statement of item.consequent) visit(statement, inner, item);
        }
        return;
      }
      case "CatchClause": {
        const inner = open(scope, boundNames(node.param));
        pattern(node.param, inner, true, node);
        return visit(node.body, inner, node);
      }
      case "VariableDeclaration":
        for (const declarator of node.declarations) {
          pattern(declarator.id, scope, true, declarator);
          visit(declarator.init, scope, declarator);
        }
        return;
      case "AssignmentExpression":
        pattern(node.left, scope, false, node);
        return visit(node.right, scope, node);
      case "LabeledStatement":
        return visit(node.body, scope, node);
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "eval" && whereIs("eval", scope) === "global") isDynamic = true;
        forEachChild(node, (child) => visit(child, scope, node));
        return;
      case "WithStatement":
        isDynamic = true;
        return;
      case "BreakStatement":
      case "ContinueStatement":
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "MetaProperty":
        return;
      case "ExportNamedDeclaration":
        if (node.declaration) return visit(node.declaration, scope, node);
        if (!node.source) {
          for (const specifier of node.specifiers) if (specifier.local.type === "Identifier") refer(specifier.local, scope, node, "export", false);
        }
        return;
      default:
        forEachChild(node, (child) => visit(child, scope, node));
    }
  }
  visit(statement, moduleScope, statement);
  references.sort((a, b) => a.start - b.start);
  return { moduleNames, isSloppy, references: compact(references), blockNames: blockNames.size === 0 ? none : blockNames, bodyNames: bodyNames.size === 0 ? none : bodyNames, isDynamic };
}

function roleOf(node: Node, parent: Node): RefRole {
  if (parent.type === "CallExpression" && parent.callee === node) return "call";
  if (parent.type === "TaggedTemplateExpression" && parent.tag === node) return "call";
  if (parent.type === "ExportDefaultDeclaration") return "export";
  return "ref";
}
