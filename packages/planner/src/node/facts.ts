import { contentKey, type Normaliser } from "./text.ts";
import { findSites } from "./find-sites.ts";
import type { Site, Sites } from "./sites.ts";
import { isPure, requiredBuiltin, requiredLiteral } from "./purity.ts";
import type { Scopes } from "./scope.ts";
import { boundNames, firstIndex, forEachChild, isClass, isFunction, keyName, type ClassNode, type Lines, type Node } from "./syntax.ts";
import type { Syntax } from "./statements.ts";

/** A binding at a unit's top level. */
export interface Declaration {
  readonly name: string;
  readonly kind: "function" | "class" | "const" | "let" | "var";
  /** The expression it is bound to: the function, the class, the initialiser; null if there is none. */
  readonly value: Node | null;
  /** What, beyond the bodies of its sites, it says: in normal form. */
  readonly skeleton: string;
  /** Its value is a function whose body is a site: a change of the body is no change of the binding. */
  readonly isFunctionValue: boolean;
  readonly isPattern: boolean;
  /** Taken out of a module of Node's by `const { name } = require("…")`. */
  readonly builtin: { readonly specifier: string; readonly imported: string } | null;
  readonly isPure: boolean;
  /** Assigned nowhere but where it is declared: a `const`, or what bundlers make a `var` of. */
  readonly isFixed: boolean;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

export interface ImportBinding {
  readonly local: string;
  readonly specifier: string;
  /** "*" for the namespace. */
  readonly imported: string;
  readonly start: number;
}

export type ExportBinding =
  | { readonly kind: "local"; readonly local: string }
  | { readonly kind: "from"; readonly specifier: string; readonly imported: string };

/** Top-level code that runs once, in order: what must stay the same for a live change. */
export interface Effect {
  /** In normal form. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

export interface Facts {
  readonly sites: Sites;
  readonly byKey: ReadonlyMap<string, Site>;
  readonly byFunction: ReadonlyMap<Node, Site>;
  /** Per nested site, everything around it out to the top level: a closure from another text must not be reached. */
  readonly shapes: ReadonlyMap<Site, string>;
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly imports: ReadonlyMap<string, ImportBinding>;
  readonly exports: ReadonlyMap<string, ExportBinding>;
  /** Specifiers of `export * from`. */
  readonly exportStars: readonly string[];
  readonly effects: readonly Effect[];
  /** The sites that are in no other, in source order. */
  readonly topSites: readonly Site[];
  /** Normal form of what a site says itself, with a hole for each nested site. */
  ownText(site: Site): string;
}

/** Something made when it is first asked for: most units never differ. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function createOwnText(text: Normaliser): (site: Site) => string {
  const made = new Map<Site, string>();
  return (site) => {
    let own = made.get(site);
    if (own === undefined) made.set(site, (own = text.normalise(site.fn.start, site.fn.end, site.nested.map((nested) => nested.fn))));
    return own;
  };
}

/** The sites of a sorted list that lie within a range. */
export function sitesIn(sites: readonly Site[], start: number, end: number): readonly Site[] {
  return sites.slice(firstIndex(sites, (site) => site.fn.start >= start), firstIndex(sites, (site) => site.fn.start >= end));
}

/** True if a position is in a function that is a site. */
export function isInSite({ topSites }: Facts, position: number): boolean {
  const last = topSites[firstIndex(topSites, (site) => site.fn.start > position) - 1];
  return last !== undefined && position < last.fn.end;
}

/** Reads the declarations of a parsed unit. */
export function readFacts(syntax: Syntax, source: string, scopes: Scopes, text: Normaliser, lines: Lines): Facts {
  const { program } = syntax;
  const sites = findSites(syntax, source, scopes);
  const declarations = new Map<string, Declaration>();
  const imports = new Map<string, ImportBinding>();
  const exports = new Map<string, ExportBinding>();
  const exportStars: string[] = [];
  const effects: Effect[] = [];

  const hasRequire = !scopes.moduleNames.has("require");

  const topSites = sites.all.filter((site) => site.depth === 0).sort((a, b) => a.fn.start - b.fn.start);
  const skeletonOf = (node: Node, made?: ClassNode): string => {
    const holes = sitesIn(topSites, node.start, node.end).map((site) => site.fn);
    if (made !== undefined && made !== node && made.start >= node.start && made.end <= node.end) return `${text.normalise(node.start, node.end, [...holes, made])}\n${classSkeleton(made, text, holes)}`;
    return isClass(node) ? classSkeleton(node, text, holes) : text.normalise(node.start, node.end, holes);
  };
  const addEffect = (node: Node, make: () => string): void => {
    const once = lazy(make);
    effects.push({ get text() { return once(); }, start: node.start, end: node.end, line: lines.of(node.start) });
  };
  const effect = (node: Node): void => {
    const made = node.type === "ExpressionStatement" && node.expression.type === "AssignmentExpression" && isClass(node.expression.right) ? node.expression.right : null;
    // The methods of a class that has a door are compared one by one.
    const isOpen = made !== null && [...sites.classes.values()].includes(made);
    addEffect(node, () => (isOpen ? `${text.normalise(node.start, node.end, [made])}${skeletonOf(made)}` : skeletonOf(node)));
  };

  const varCounts = lazy(() => countVars(program));

  function declare(node: Node, exported: boolean | "default"): void {
    const put = (name: string, kind: Declaration["kind"], value: Node | null, whole: Node, isPattern = false, builtin: Declaration["builtin"] = null): void => {
      const isFunctionValue = value !== null && isFunction(value);
      const pure = value === null || isFunctionValue || isPure(value, source, hasRequire);
      const skeleton = lazy(() => (isFunctionValue ? functionShape(value) : value === null ? "" : builtin !== null ? `${builtin.imported} of ${builtin.specifier}` : requirable(skeletonOf(value, sites.classes.get(name)))));
      const isFixed = (): boolean => kind === "const" || ((kind === "let" || kind === "var") && value !== null && (varCounts().get(name) ?? 0) < 2 && !isAssigned(name, whole, scopes));
      declarations.set(name, { name, kind, value, get isFixed() { return isFixed(); }, get skeleton() { return skeleton(); }, isFunctionValue, isPattern, builtin, isPure: pure, start: whole.start, end: whole.end, line: lines.of(whole.start) });
      if (exported !== false) exports.set(exported === "default" ? "default" : name, { kind: "local", local: name });
      if (!pure) addEffect(whole, () => `${kind} ${name} = ${skeleton()}`);
    };
    if (node.type === "FunctionDeclaration") put(node.id?.name ?? "default", "function", node, node);
    else if (isClass(node)) put(node.id?.name ?? "default", "class", node, node);
    else if (node.type === "VariableDeclaration") {
      for (const declarator of node.declarations) {
        const isPattern = declarator.id.type !== "Identifier";
        const taken = isPattern && hasRequire ? takenOut(declarator) : null;
        if (taken !== null && [...taken.keys()].every((name) => (varCounts().get(name) ?? 0) < 2 && !isAssigned(name, declarator, scopes))) {
          for (const [name, builtin] of taken) put(name, node.kind as "const", declarator.init ?? null, declarator, true, builtin);
          continue;
        }
        if (isPattern) addEffect(declarator, () => `${node.kind} ${skeletonOf(declarator)}`);
        for (const name of boundNames(declarator.id)) put(name, node.kind as "const", declarator.init ?? null, declarator, isPattern);
      }
    }
  }

  for (const statement of program.body) {
    switch (statement.type) {
      case "ImportDeclaration":
        if (statement.specifiers.length === 0) effect(statement);
        for (const specifier of statement.specifiers) {
          const imported = specifier.type === "ImportSpecifier" ? moduleName(specifier.imported) : specifier.type === "ImportDefaultSpecifier" ? "default" : "*";
          imports.set(specifier.local.name, { local: specifier.local.name, specifier: String(statement.source.value), imported, start: statement.start });
        }
        break;
      case "ExportNamedDeclaration":
        if (statement.declaration) declare(statement.declaration, true);
        for (const specifier of statement.specifiers) {
          const name = moduleName(specifier.exported);
          if (statement.source) exports.set(name, { kind: "from", specifier: String(statement.source.value), imported: moduleName(specifier.local) });
          else exports.set(name, { kind: "local", local: moduleName(specifier.local) });
        }
        break;
      case "ExportDefaultDeclaration":
        if (statement.declaration.type === "FunctionDeclaration" || statement.declaration.type === "ClassDeclaration") declare(statement.declaration, "default");
        else if (isFunction(statement.declaration)) {
          exports.set("default", { kind: "local", local: "default" });
        } else {
          exports.set("default", { kind: "local", local: "default" });
          effect(statement);
        }
        break;
      case "ExportAllDeclaration":
        if (statement.exported) exports.set(moduleName(statement.exported), { kind: "from", specifier: String(statement.source.value), imported: "*" });
        else exportStars.push(String(statement.source.value));
        break;
      case "FunctionDeclaration":
      case "ClassDeclaration":
      case "VariableDeclaration":
        declare(statement, false);
        break;
      case "EmptyStatement":
        break;
      default:
        effect(statement);
    }
  }
  const ownText = createOwnText(text);
  const around = new Map<Site, string>();
  const shapes = new Map<Site, string>();
  for (const site of sites.all) {
    if (site.nested.length === 0) continue;
    const text = `${ownText(site)}\n${site.owner === null ? "" : around.get(site.owner)!}`;
    around.set(site, text);
    const shape = contentKey(text);
    for (const nested of site.nested) shapes.set(nested, shape);
  }
  effects.sort((a, b) => a.start - b.start);
  return { sites, byKey: new Map(sites.all.map((site) => [site.key, site])), byFunction: new Map(sites.all.map((site) => [site.fn, site])), shapes, declarations, imports, exports, exportStars, effects, topSites, ownText };
}

/** How often each name is declared by a `var` of the module's: also in blocks and loops, each of which may give it a value. */
function countVars(program: Node): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "VariableDeclaration" && node.kind === "var") {
      for (const { id } of node.declarations) for (const name of boundNames(id)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    forEachChild(node, walk);
  };
  walk(program);
  return counts;
}

/** True if something but its declaration may assign to a module's binding. */
function isAssigned(name: string, { start, end }: Node, { byName }: Scopes): boolean {
  return byName.get(name)?.some((ref) => ref.isWrite && ref.where !== "local" && (ref.start < start || ref.start >= end)) === true;
}

type Taken = Map<string, NonNullable<Declaration["builtin"]>>;

/** `const { a, b: c } = require("node:x")`: what each name is of which module of Node's; null for anything else. */
function takenOut({ id, init }: Extract<Node, { type: "VariableDeclarator" }>): ReadonlyMap<string, NonNullable<Declaration["builtin"]>> | null {
  const specifier = requiredBuiltin(init)?.replace(/^node:/, "") ?? null;
  const taken: Taken = new Map();
  return specifier !== null && takeApart(id, `node:${specifier}`, taken) ? taken : null;
}

/** Parts of Node's modules that are modules themselves: `require("util").types` is `require("util/types")`. */
const parts = /^node:(?:util\/types|path\/(?:posix|win32)|(?:fs|dns|stream|timers)\/promises)$/;

function takeApart(pattern: Node, specifier: string, taken: Taken): boolean {
  if (pattern.type !== "ObjectPattern") return false;
  return pattern.properties.every((property) => {
    const imported = property.type === "Property" ? keyName(property.key, property.computed) : null;
    if (property.type !== "Property" || imported === null) return false;
    const inside = `${specifier}/${imported}`;
    if (property.value.type !== "Identifier") return parts.test(inside) && takeApart(property.value, inside, taken);
    taken.set(property.value.name, { specifier, imported });
    return true;
  });
}

/** `node:fs` and `fs` are the same. */
function requirable(skeleton: string): string {
  return skeleton.replace(/^(require.["'])node:/, "$1");
}

/** What an import says, a `require` of one of Node's modules that is taken apart, or of a module as a whole. */
export function importOf({ imports, declarations }: Facts, name: string): ImportBinding | null {
  const imported = imports.get(name);
  if (imported !== undefined) return imported;
  const declaration = declarations.get(name);
  if (declaration === undefined) return null;
  if (declaration.builtin !== null) return { local: name, ...declaration.builtin, start: declaration.start };
  const specifier = declaration.isPattern ? null : requiredLiteral(declaration.value);
  return specifier === null ? null : { local: name, specifier, imported: "default", start: declaration.start };
}

/** What kind of function it is; a body can be replaced only by one of the same kind. */
function functionShape(node: Node): string {
  if (!isFunction(node)) return "";
  return `${node.type === "ArrowFunctionExpression" ? "arrow" : "function"}${node.generator ? "*" : ""}`;
}

/** A class without its methods, which are compared one by one and may come in any order. */
function classSkeleton(node: ClassNode, text: Normaliser, holes: readonly Node[]): string {
  const heritage = node.superClass ? text.normalise(node.superClass.start, node.superClass.end, holes) : "";
  const rest = node.body.body.filter((member) => member.type !== "MethodDefinition").map((member) => text.normalise(member.start, member.end, holes));
  return `class ${node.id?.name ?? ""} extends ${heritage} {${rest.join(";")}}`;
}

function moduleName(node: Node): string {
  return node.type === "Identifier" ? node.name : node.type === "Literal" ? String(node.value) : "?";
}
