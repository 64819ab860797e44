import { closureUses, labelOf, type Closure } from "./closures.ts";
import { formRefusal } from "./forms.ts";
import type { ResolvedStatement } from "./resolve-statement.ts";
import { indexByName, referencesIn, type Reference, type Scopes } from "./scope.ts";
import { classMadeIn, slotName, type Site, type Sites } from "./sites.ts";
import { compact, containsOwn, firstIndex, forEachChild, isClass, isFunction, keyName, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";
import { StatementMemo, type ParsedStatement, type Syntax } from "./statements.ts";

/** What one statement of a unit's top level adds to its sites. */
interface StatementSites {
  readonly sites: readonly Site[];
  readonly classes: ReadonlyMap<string, ClassNode>;
}

/** What statements before it have used up. */
interface Taken {
  /** How often a key was asked for. */
  readonly keys: Map<string, number>;
  readonly classes: Map<string, ClassNode>;
}

interface Known extends StatementSites {
  readonly resolved: ResolvedStatement;
  /** What it met of keys and classes, in turn. */
  readonly keys: readonly (readonly [key: string, count: number])[];
  readonly asked: ReadonlyMap<string, boolean>;
}

const maxDoorDepth = 4;

const memo = new StatementMemo<Known>();
const noClasses: ReadonlyMap<string, ClassNode> = new Map();
const noneAsked: ReadonlyMap<string, boolean> = new Map();

/** Finds the guard sites of a unit, outer before inner, in source order per owner. */
export function findSites({ statements }: Syntax, source: string, scopes: Scopes): Sites {
  const taken = { keys: new Map<string, number>(), classes: new Map<string, ClassNode>() };
  const all = statements.flatMap((statement, at) => sitesOfStatement(statement, source, scopes.statements[at]!, taken).sites);
  return { all, classes: taken.classes };
}

/** Finds the sites of a statement, outer before inner; what was found before holds as long as names and keys mean the same. */
function sitesOfStatement(statement: ParsedStatement, source: string, resolved: ResolvedStatement, taken: Taken): StatementSites {
  const before = memo.get(statement);
  if (before === undefined || before.resolved !== resolved || !holds(before, taken)) return memo.set(statement, findIn(statement, source, resolved, taken));
  for (const [key, count] of before.keys) taken.keys.set(key, count + 1);
  for (const [name, node] of before.classes) taken.classes.set(name, node);
  return before;
}

/** True if the statements before it have used up what those before it had used up then. */
function holds({ keys, asked }: Known, taken: Taken): boolean {
  const met = new Set<string>();
  for (const [key, count] of keys) {
    if (!met.has(key) && (taken.keys.get(key) ?? 0) !== count) return false;
    met.add(key);
  }
  for (const [name, isTaken] of asked) if (taken.classes.has(name) !== isTaken) return false;
  return true;
}

function findIn({ node: statement, marks, origin }: ParsedStatement, source: string, resolved: ResolvedStatement, taken: Taken): Known {
  const all: Site[] = [];
  const own = new Map<string, ClassNode>();
  const keys: (readonly [key: string, count: number])[] = [];
  const asked = new Map<string, boolean>();
  let index: ReadonlyMap<string, readonly Reference[]> | null = null;
  const names = { get byName() { return (index ??= indexByName(resolved.references)); } };
  const unique = (key: string): string => {
    const count = taken.keys.get(key) ?? 0;
    keys.push([key, count]);
    taken.keys.set(key, count + 1);
    return count === 0 ? key : `${key}#${count}`;
  };

  type Extra = Partial<Pick<Site, "binding" | "className" | "member" | "memberName" | "passedTo" | "escapes" | "isInFlight" | "owner" | "depth" | "form" | "name">>;
  function add(rawKey: string, fn: FunctionNode, extra: Extra): Site {
    const key = unique(rawKey);
    const site: Site = {
      key, slot: slotName(key), fn, origin, offset: fn.start - statement.start, form: "function", name: key, depth: 0,
      usesSuper: hasOwn(marks.supers, fn, (node) => node.type === "Super"), usesNewTarget: hasOwn(marks.newTargets, fn, isNewTarget),
      owner: null, nested: [], binding: null, className: null,
      member: null, memberName: null, passedTo: null, escapes: true, isInFlight: false, hasDoor: false, hasParamClosures: false, refusal: null, isOpaque: false, ...extra,
    };
    site.refusal = formRefusal(site, source, resolved) ?? blockRefusal(fn, resolved);
    all.push(site);
    addNested(site);
    return site;
  }

  /**
   * A function that makes functions which outlive the call, or may, gets a door, so that those can be reached. One that
   * is only used on the spot is part of the text around it, unless it makes such functions itself.
   */
  function addNested(site: Site): void {
    const { closures, hasClass } = closuresOf(site.fn.body, site.fn);
    const canHaveDoor = site.refusal === null && site.depth < maxDoorDepth;
    site.hasParamClosures = site.fn.params.some((param) => closuresOf(param, site.fn).closures.length > 0);
    site.isOpaque = hasClass || (closures.length > 0 && !canHaveDoor);
    site.hasDoor = closures.length > 0 && canHaveDoor;
    if (!site.hasDoor) return;
    for (const closure of closures) {
      site.nested.push(add(`${site.key}/${closure.label}`, closure.fn, {
        owner: site, depth: site.depth + 1, binding: site.binding, className: site.className, passedTo: closure.callee, escapes: closure.escapes, isInFlight: closure.isInFlight,
        memberName: closure.label.startsWith(".") ? closure.label.slice(1) : null, name: closure.name ?? site.name,
        form: closure.isMethod ? "method" : "function",
      }));
    }
  }

  /** Functions directly in a region that outlive it or make others that do; and whether it makes classes. */
  function closuresOf(region: Node, fn: FunctionNode | null): { closures: Closure[]; hasClass: boolean } {
    const closures: Closure[] = [];
    let hasClass = false;
    const walk = (node: Node, parent: Node): void => {
      if (isClass(node)) hasClass = true;
      else if (isFunction(node)) {
        const closure = labelOf(node, parent, source, (name) => closureUses(names, name, fn ?? region, node));
        if (closure.escapes) closures.push(closure);
        else {
          const inside = closuresOf(node, node);
          if (inside.closures.length > 0 || inside.hasClass) closures.push(closure);
        }
      } else forEachChild(node, (child) => walk(child, node));
    };
    if (region === fn) forEachChild(region, (child) => walk(child, region));
    else walk(region, fn ?? region);
    return { closures, hasClass };
  }

  /** `name`: the binding, or what the class is assigned to. */
  function addClass(node: ClassNode, name: string, binding: string | null): void {
    if (!asked.has(name)) asked.set(name, taken.classes.has(name));
    if (taken.classes.has(name)) return;
    taken.classes.set(name, node);
    own.set(name, node);
    for (const member of node.body.body) {
      if (member.type !== "MethodDefinition") continue;
      const plain = keyName(member.key, member.computed);
      const shown = plain ?? `[${source.slice(member.key.start, member.key.end)}]`;
      const kind = member.kind === "get" || member.kind === "set" ? `${member.kind} ` : "";
      add(`${name}.${member.static ? "static " : ""}${kind}${shown}`, member.value, {
        binding, className: name, member, memberName: plain, form: "method", name: plain ?? shown,
      });
    }
  }

  /** A value bound at module level, or assigned to a member there. */
  function addValue(key: string, value: Node | null | undefined, binding: string | null): void {
    if (!value) return;
    if (isFunction(value)) add(key, value, { binding, memberName: lastPart(key), name: lastPart(key) ?? key });
    else if (isClass(value)) {
      if (binding === key || (binding === null && isExports(key))) addClass(value, key, binding);
    } else if (value.type === "ObjectExpression") addObject(key, value, binding);
    else if (isFreeze(value) && value.arguments[0]?.type === "ObjectExpression") addObject(key, value.arguments[0], binding);
    else {
      const made = binding === key ? classMadeIn(value) : null;
      if (made === null) addRegion(`${key}:`, value, binding);
      else addClass(made, key, binding);
    }
  }

  function addObject(key: string, object: Extract<Node, { type: "ObjectExpression" }>, binding: string | null): void {
    for (const property of object.properties) {
      const name = property.type === "Property" ? keyName(property.key, property.computed) : null;
      if (property.type !== "Property" || name === null) {
        addRegion(`${key}:`, property, binding);
        continue;
      }
      const accessor = property.kind === "init" ? "" : `${property.kind} `;
      const full = `${key}.${accessor}${name}`;
      if (isFunction(property.value)) {
        const isMethod = property.method || property.kind !== "init";
        add(full, property.value, { binding, memberName: name, name, form: isMethod ? "method" : "function" });
      } else addValue(full, property.value, binding);
    }
  }

  /** Closures that top-level code makes: its one activation is the module itself, whose door is the module's. */
  function addRegion(key: string, region: Node, binding: string | null): void {
    for (const closure of closuresOf(region, null).closures) {
      add(`${key}${closure.label}`, closure.fn, {
        binding, passedTo: closure.callee, escapes: closure.escapes, isInFlight: closure.isInFlight, memberName: closure.label.startsWith(".") ? closure.label.slice(1) : null,
        name: closure.name ?? closure.label, form: closure.isMethod ? "method" : "function",
      });
    }
  }

  function addStatement(node: Node): void {
    if (node.type === "FunctionDeclaration") add(node.id?.name ?? "default", node, { binding: node.id?.name ?? "default" });
    else if (node.type === "ClassDeclaration") {
      if (node.id) addClass(node, node.id.name, node.id.name);
    } else if (node.type === "VariableDeclaration") {
      for (const declarator of node.declarations) {
        if (declarator.id.type === "Identifier") addValue(declarator.id.name, declarator.init, declarator.id.name);
        else if (declarator.init) addRegion(":", declarator.init, null);
      }
    } else if (isDefault) addValue("default", node, "default");
    else if (node.type === "ExpressionStatement" && node.expression.type === "AssignmentExpression" && node.expression.left.type === "MemberExpression") {
      addValue(source.slice(node.expression.left.start, node.expression.left.end), node.expression.right, null);
    } else if (node.type !== "ImportDeclaration" && node.type !== "ExportAllDeclaration") addRegion(":", node, null);
  }

  const isDefault = statement.type === "ExportDefaultDeclaration";
  const node: Node | null | undefined = statement.type === "ExportNamedDeclaration" || isDefault ? statement.declaration : statement;
  if (node) addStatement(node);
  return { sites: compact(all), classes: own.size === 0 ? noClasses : own, resolved, keys: compact(keys), asked: asked.size === 0 ? noneAsked : asked };
}

/** `module.exports`, `exports.Name`: what a CommonJS unit's class may be known by instead of a binding. */
function isExports(target: string): boolean {
  return /^(module\.exports|exports|module\.exports\.[\w$]+|exports\.[\w$]+)$/.test(target);
}

/** A door stands at its function's top level: it cannot see what a block inside declares. */
function blockRefusal(fn: FunctionNode, { references, blockNames }: ResolvedStatement): string | null {
  const hidden = blockNames.get(fn);
  if (hidden === undefined) return null;
  const used = referencesIn(references, fn.start, fn.end).find((ref) => ref.where === "local" && hidden.has(ref.name));
  return used === undefined ? null : `it uses ${used.name}, which a block around it declares`;
}

/** True if one of the marks is the function's own; most functions hold none at all. */
function hasOwn(marks: readonly Node[], fn: FunctionNode, test: (node: Node) => boolean): boolean {
  const first = marks[firstIndex(marks, (mark) => mark.start >= fn.start)];
  return first !== undefined && first.start < fn.end && containsOwn(fn, test);
}

function isNewTarget(node: Node): boolean {
  return node.type === "MetaProperty" && node.meta.name === "new";
}

function isFreeze(node: Node): node is Extract<Node, { type: "CallExpression" }> {
  return node.type === "CallExpression" && node.callee.type === "MemberExpression" && node.callee.property.type === "Identifier" && node.callee.property.name === "freeze";
}

function lastPart(key: string): string | null {
  return /[^.\s[\]"']+$/.exec(key)?.[0] ?? null;
}
