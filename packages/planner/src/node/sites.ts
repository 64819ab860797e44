import type { BodyForm } from "@midflight/protocol";
import { reservedPrefix } from "@midflight/protocol";
import { closureUses, labelOf, type Closure } from "./closures.ts";
import { formRefusal } from "./forms.ts";
import type { Marks } from "./marks.ts";
import { referencesIn, type Scopes } from "./scope.ts";
import { contentKey } from "./text.ts";
import { containsOwn, firstIndex, isClass, isFunction, keyName, forEachChild, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";
import type { Program } from "acorn";

/**
 * A function whose body can be replaced while the function object stays: it gets a guard.
 * Depth 0: reached through the door of the module or its class. Deeper: a closure, reached through the door of
 * the activation that made it.
 */
export interface Site {
  /** Names the site across versions of the unit. */
  readonly key: string;
  /** The guard's variable. */
  readonly slot: string;
  readonly fn: FunctionNode;
  readonly form: BodyForm;
  readonly name: string;
  readonly usesSuper: boolean;
  readonly usesNewTarget: boolean;
  readonly depth: number;
  readonly owner: Site | null;
  readonly nested: Site[];
  /** The module-level binding that it belongs to; null for code in a statement. */
  readonly binding: string | null;
  readonly className: string | null;
  readonly member: Extract<Node, { type: "MethodDefinition" }> | null;
  /** What a call by property name would use; null if there is none. */
  readonly memberName: string | null;
  /** For a closure passed to a call: the callee's last name. */
  readonly passedTo: string | null;
  /** False for a closure that is only used on the spot. */
  readonly escapes: boolean;
  /** It ends with the request or the call that it was made for. */
  readonly isInFlight: boolean;
  /** True if activations keep a door, because closures that outlive them can be reached. */
  hasDoor: boolean;
  /** A parameter's default makes a function that may outlive the call, and no door reaches. */
  hasParamClosures: boolean;
  /** Why it has no guard; null if it has one. */
  refusal: string | null;
  /** It makes classes, or closures that no door reaches: a change of its text needs a new process. */
  isOpaque: boolean;
}

export interface Sites {
  readonly all: readonly Site[];
  /** Module-level classes whose private scope has a door, by binding or by what of `exports` they are assigned to. */
  readonly classes: ReadonlyMap<string, ClassNode>;
}

const maxDoorDepth = 4;

/** Finds the guard sites of a unit, outer before inner, in source order per owner. */
export function findSites(program: Program, source: string, scopes: Scopes, marks: Marks): Sites {
  const all: Site[] = [];
  const classes = new Map<string, ClassNode>();
  const seen = new Map<string, number>();
  const unique = (key: string): string => {
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return count === 0 ? key : `${key}#${count}`;
  };

  type Extra = Partial<Pick<Site, "binding" | "className" | "member" | "memberName" | "passedTo" | "escapes" | "isInFlight" | "owner" | "depth" | "form" | "name">>;
  function add(rawKey: string, fn: FunctionNode, extra: Extra): Site {
    const key = unique(rawKey);
    const site: Site = {
      key, slot: slotName(key), fn, form: "function", name: key, depth: 0,
      usesSuper: hasOwn(marks.supers, fn, (node) => node.type === "Super"), usesNewTarget: hasOwn(marks.newTargets, fn, isNewTarget),
      owner: null, nested: [], binding: null, className: null,
      member: null, memberName: null, passedTo: null, escapes: true, isInFlight: false, hasDoor: false, hasParamClosures: false, refusal: null, isOpaque: false, ...extra,
    };
    site.refusal = formRefusal(site, source, scopes) ?? blockRefusal(fn, scopes);
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
        const closure = labelOf(node, parent, source, (name) => closureUses(scopes, name, fn ?? region, node));
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
    if (classes.has(name)) return;
    classes.set(name, node);
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

  for (const statement of program.body) {
    const isDefault = statement.type === "ExportDefaultDeclaration";
    const node: Node | null | undefined = statement.type === "ExportNamedDeclaration" || isDefault ? statement.declaration : statement;
    if (!node) continue;
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
  return { all, classes };
}

/**
 * The class that a value is made with: `(() => { let _decorators = [log]; return class Cart { … }; })()`, as compilers
 * write decorated classes. It is made once, as a class at the top level is; what is around it belongs to its
 * skeleton. Null if there is none, or more than one.
 */
export function classMadeIn(value: Node): ClassNode | null {
  if (value.type !== "CallExpression" || value.arguments.length > 0 || !isFunction(value.callee)) return null;
  const { callee } = value;
  if (callee.params.length > 0 || callee.async || callee.generator || callee.body.type !== "BlockStatement") return null;
  const found: ClassNode[] = [];
  const walk = (node: Node): void => {
    if (isClass(node)) found.push(node);
    else if (!isFunction(node)) forEachChild(node, walk);
  };
  for (const statement of callee.body.body) {
    // In a loop it could be made more than once.
    if (/^(For|While|DoWhile|Try|Labeled|Switch|If|Block)/.test(statement.type) && containsOwn(statement, isClass)) return null;
    walk(statement);
  }
  return found.length === 1 ? found[0]! : null;
}

/** `module.exports`, `exports.Name`: what a CommonJS unit's class may be known by instead of a binding. */
function isExports(target: string): boolean {
  return /^(module\.exports|exports|module\.exports\.[\w$]+|exports\.[\w$]+)$/.test(target);
}

/** A door stands at its function's top level: it cannot see what a block inside declares. */
function blockRefusal(fn: FunctionNode, { references, blockNames }: Scopes): string | null {
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

/** How a site is named to people: `Cart.total()`, `closure get("/items")`. */
export function shownSite({ key, depth }: Site): string {
  if (depth > 0 || key.includes("/") || key.includes(":")) return `closure ${key.replace(/^:/, "")}`;
  return `${key}()`;
}

/** Variable names of guards are made from the key alone, so that two versions of a unit agree on them. */
export function slotName(key: string): string {
  return `${reservedPrefix}_${contentKey(key)}`;
}

export function classDoorName(binding: string): string {
  return `${reservedPrefix}c_${contentKey(binding)}`;
}
