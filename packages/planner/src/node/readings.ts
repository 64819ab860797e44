import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import { isInSite, type Declaration } from "./facts.ts";
import { isImportedInTurn } from "./graph.ts";
import { referencesIn, type Reference } from "./scope.ts";
import { stateIn } from "./state.ts";
import { forEachChild, isClass, isFunction, keyName, type Node } from "./syntax.ts";

/** Names that purity takes for the language's own: a unit that declares one means something else. */
const languageNames = /^(Map|Set|WeakMap|WeakSet|RegExp|URL|Date|Array|Uint8Array|Symbol|String|Number|Boolean|BigInt|Object|Math|require)$/;

/**
 * Why an initialiser, evaluated now, may give another value than at a cold start: it reads what the process may have
 * changed since. Null if it cannot.
 */
export function movedIn(declaration: Declaration, unit: string, app: AppShape, seen: Set<Declaration> = new Set()): string | null {
  const detail = detailOf(app, unit);
  const { value } = declaration;
  if (detail === null || value === null || declaration.isFunctionValue || declaration.kind === "class" || seen.has(declaration)) return null;
  seen.add(declaration);
  for (const ref of referencesIn(detail.scopes.references, value.start, value.end)) {
    if (ref.where !== "module" || isInSite(detail.facts, ref.start)) continue;
    const moved = languageNames.test(ref.name) ? "it is not the language's own" : movedName(ref, unit, app, seen);
    if (moved !== null) return `it reads ${ref.name}, and ${moved}`;
  }
  return null;
}

function movedName(ref: Reference, unit: string, app: AppShape, seen: Set<Declaration>): string | null {
  const { facts, scopes } = detailOf(app, unit)!;
  const imported = facts.imports.get(ref.name);
  if (imported !== undefined) {
    const from = resolveUnit(app, unit, imported.specifier);
    if (from === null) return null;
    const { parent } = ref;
    const name = imported.imported !== "*" ? imported.imported : parent.type === "MemberExpression" && !parent.computed && parent.property.type === "Identifier" ? parent.property.name : null;
    const origin = name === null ? null : findOrigin(app, from, name);
    const there = origin?.kind === "binding" ? detailOf(app, origin.unit) : null;
    const declaration = origin?.kind === "binding" ? there?.facts.declarations.get(origin.local) : undefined;
    if (origin?.kind !== "binding" || declaration === undefined) return `it cannot be seen what ${imported.specifier} gives`;
    return movedDeclaration(declaration, ref, there!.scopes.byName.get(origin.local) ?? [], origin.unit, app, seen);
  }
  const declaration = facts.declarations.get(ref.name);
  return declaration === undefined ? null : movedDeclaration(declaration, ref, scopes.byName.get(ref.name) ?? [], unit, app, seen);
}

function movedDeclaration(declaration: Declaration, { parent }: Reference, uses: readonly Reference[], unit: string, app: AppShape, seen: Set<Declaration>): string | null {
  const { kind, value } = declaration;
  if (uses.some((use) => use.isWrite && use.where === "module" && (use.start < declaration.start || use.start >= declaration.end))) return "it may have been assigned since";
  if (kind === "function" || kind === "class" || declaration.isFunctionValue || value === null) return null;
  if (value.type === "ObjectExpression" && value.properties.some((property) => property.type === "Property" && property.kind === "get")) return "it has a getter";
  if (value.type === "ObjectExpression" && value.properties.some((property) => property.type === "Property" && (property.computed || /^(toString|valueOf|toJSON)$/.test(keyName(property.key, false) ?? "")))) return "it has code of its own that says what it is as a text or a number";
  // What is only calculated with is taken to be a text or a number, which does not change.
  if (!declaration.isPure) return parent.type === "BinaryExpression" || parent.type === "TemplateLiteral" ? null : "it may hold what the process built up";
  return stateIn(declaration, unit, app) ?? movedIn(declaration, unit, app, seen);
}

/** What an initialiser, or what runs of a class when it is made, reads before it is there: a process that starts with it would end, or find nothing. */
export function readTooEarly(declaration: Declaration, unit: string, app: AppShape, isNew: boolean): string | null {
  const detail = detailOf(app, unit);
  if (detail === null || declaration.value === null) return null;
  for (const part of madeOf(declaration.value, isNew)) {
    const later = runsLater(part);
    for (const ref of referencesIn(detail.scopes.references, part.start, part.end)) {
      if (ref.where !== "module" || later.some(({ start, end }) => ref.start >= start && ref.start < end)) continue;
      const read = detail.facts.declarations.get(ref.name);
      if (read !== undefined && read.kind !== "function" && (isNew || read.kind !== "var") && read.start > declaration.start) return `it reads ${ref.name} before that is declared`;
      const specifier = isNew ? detail.facts.imports.get(ref.name)?.specifier : undefined;
      const from = specifier === undefined ? null : resolveUnit(app, unit, specifier);
      if (from !== null && isImportedInTurn(app, from, unit)) return `it reads ${ref.name} of ${from}, which imports this module in turn, and may not be there yet`;
    }
  }
  return null;
}

/** What of a value runs when it is made. What a class that was there says in its static parts ran before. */
function madeOf(value: Node, isNew: boolean): readonly Node[] {
  if (!isClass(value)) return [value];
  const made: Node[] = value.superClass ? [value.superClass] : [];
  for (const member of isNew ? value.body.body : []) {
    if (member.type === "StaticBlock") made.push(member);
    else {
      if (member.computed) made.push(member.key);
      if (member.type === "PropertyDefinition" && member.static && member.value) made.push(member.value);
    }
  }
  return made;
}

/** What in it does not run when it is made: functions, methods, and the fields of instances. */
function runsLater(part: Node): readonly Node[] {
  const found: Node[] = [];
  const walk = (node: Node): void => {
    if (isFunction(node)) found.push(node);
    else if (node.type === "PropertyDefinition" && !node.static) {
      if (node.computed) walk(node.key);
      if (node.value) found.push(node.value);
    } else forEachChild(node, walk);
  };
  walk(part);
  return found;
}
