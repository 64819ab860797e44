import { detailOf, findOrigin, importersOf, resolveUnit, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { isOnTheSpot } from "./closures.ts";
import type { Declaration } from "./facts.ts";
import { isReadMember } from "./members.ts";
import type { Reference } from "./scope.ts";
import type { Site } from "./sites.ts";
import { holdsFunctions } from "./state.ts";
import { forEachChild, isFunction, keyName, type Node } from "./syntax.ts";

/**
 * True if somebody may have what a binding stands for in another way than by its name: a function that was put
 * somewhere or handed on, an instance of a class, a function out of a table. When the binding goes, he goes on with it.
 */
export function mayBeHeld(app: AppShape, unit: string, declaration: Declaration): boolean {
  const { kind, name, value, isFunctionValue } = declaration;
  const refs = referencesTo(app, unit, name);
  if (kind === "class") return refs.some((ref) => !(ref.parent.type === "BinaryExpression" && ref.parent.operator === "instanceof"));
  if (isFunctionValue) return refs.some(holdsFunction);
  if (value === null || !holdsFunctions(value)) return false;
  return refs.some(({ parent, start }) => parent.type !== "MemberExpression" || parent.object.start !== start) || functionNames(value).some((key) => isReadMember(app, key));
}

/** True if a function makes others that may live on when its call has ended. */
export function makesClosures(site: Site): boolean {
  return site.isOpaque || site.hasParamClosures || site.nested.some((nested) => (nested.escapes && !nested.isInFlight) || makesClosures(nested));
}

/** All uses of a binding in the app, but for those that only export it. */
function referencesTo(app: AppShape, unit: string, name: string): Reference[] {
  const found: Reference[] = [];
  const add = (path: string, local: string): void => {
    for (const ref of detailOf(app, path)?.scopes.byName.get(local) ?? []) if (ref.where === "module" && ref.role !== "export" && !ref.isWrite) found.push(ref);
  };
  add(unit, name);
  for (const path of importersOf(app).of(unit)) {
    for (const { local, specifier, imported } of detailOf(app, path)?.facts.imports.values() ?? []) {
      const from = resolveUnit(app, path, specifier);
      const origin = from === null ? null : findOrigin(app, from, imported);
      if (origin?.kind === "binding" && origin.unit === unit && origin.local === name) add(path, local);
    }
  }
  return found;
}

function holdsFunction({ parent, role, start }: Reference): boolean {
  if (role === "call") return false;
  switch (parent.type) {
    case "UnaryExpression":
    case "BinaryExpression":
      return false;
    case "MemberExpression":
      return parent.object.start === start && /^(bind|prototype|\?)$/.test(calleeName(parent));
    case "CallExpression":
      return !isOnTheSpot(calleeName(parent.callee));
    default:
      return true;
  }
}

function functionNames(value: Node): string[] {
  const names: string[] = [];
  const walk = (node: Node): void => {
    if (node.type === "Property" && isFunction(node.value)) names.push(keyName(node.key, node.computed) ?? "?");
    forEachChild(node, walk);
  };
  walk(value);
  return names;
}
