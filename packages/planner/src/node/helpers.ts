import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { knownGlobals } from "./globals.ts";
import { referencesIn } from "./scope.ts";
import type { Node } from "./syntax.ts";

/**
 * What compilers and bundlers write into their output, or import from their run-time library.
 * `decorate`: applies decorators. `pass`: gives its first argument, or what stands for that module. `run`: makes a
 * module of the functions that it is given. `export`: makes getters. `plain`: does no more with its arguments than a call of them.
 */
export type Helper = "decorate" | "pass" | "run" | "export" | "plain";

const kinds: readonly (readonly [Helper, RegExp])[] = [
  ["decorate", /^(__decorate|__decorateClass|_ts_decorate|__esDecorate|__decorateElement|_apply_decs_\w+)$/],
  ["pass", /^(__name|__setFunctionName|__toESM|__toCommonJS|__importDefault|__importStar|_interop_require_(default|wildcard))$/],
  ["run", /^(__commonJS|__commonJSMin|__esm|__esmMin)$/],
  ["export", /^(__export|__exportAll|_export|__exportStar|__reExport|__copyProps|__createBinding|_export_star)$/],
  [
    "plain",
    /^(__metadata|__param|_ts_metadata|_ts_param|__runInitializers|__decoratorStart|__decoratorMetadata|__private(Get|Set|Add|Method|Wrapper|In)|__publicField|__classPrivateField(Get|Set|In)|__accessCheck|__awaiter|__async|__generator|__rest|__objRest|__spreadArray|__spreadProps|__spreadValues|__expectFn|__typeError|__knownSymbol|__defNormalProp|__decoratorContext|_class_(private|static_private|apply|extract|check)_\w+|_check_private_\w+|_async_to_generator|_define_property|_object_spread(_props)?|_object_without_properties(_loose)?)$/,
  ],
];

/** Helpers that give a private method to call it. */
const methodGetters = /^(__privateMethod|__classPrivateFieldGet|_class_private_method_get)$/;

/** The helper that a callee is; null if it is none. One that a unit declares itself must reach nothing of the app's but what it is given. */
export function helperOf(callee: Node, detail: UnitDetail): Helper | null {
  const name = calleeName(callee);
  if (!name.startsWith("_")) return null;
  const found = kinds.find(([, pattern]) => pattern.test(name));
  if (found === undefined) return null;
  return callee.type === "Identifier" && !isSelfContained(name, detail) ? null : found[0];
}

/** True if a unit declares a helper under that name. Its own code is known, and not looked at. */
export function declaresHelper(name: string, detail: UnitDetail): boolean {
  return name.startsWith("_") && detail.facts.declarations.has(name) && kinds.some(([, pattern]) => pattern.test(name)) && isSelfContained(name, detail);
}

const checked = new WeakMap<UnitDetail, Map<string, boolean>>();

function isSelfContained(name: string, detail: UnitDetail): boolean {
  let known = checked.get(detail);
  if (known === undefined) checked.set(detail, (known = new Map()));
  const before = known.get(name);
  if (before !== undefined) return before;
  const { facts, scopes } = detail;
  const declaration = facts.declarations.get(name);
  known.set(name, true);
  const isOne = declaration === undefined
    ? (scopes.byName.get(name) ?? []).every((ref) => ref.where !== "local")
    : referencesIn(scopes.references, declaration.start, declaration.end).every((ref) => ref.where === "local" || ref.name === name || isHarmless(ref.name, detail));
  known.set(name, isOne);
  return isOne;
}

/** Names that a helper may use: the language's, other helpers, and what bundlers call the functions of `Object`. */
function isHarmless(name: string, detail: UnitDetail): boolean {
  const declaration = detail.facts.declarations.get(name);
  if (declaration === undefined) return knownGlobals.has(name) || name === "this" || name === "arguments" || name === "require";
  if (!name.startsWith("_")) return false;
  const { value } = declaration;
  return value === null || value.type === "MemberExpression" || value.type === "ArrayExpression" || isSelfContained(name, detail);
}

/** The method that a helper is asked for: `__privateMethod(this, brand, method)`. Null if the call is none of those. */
export function privateMethodOf(node: Node): Node | null {
  if (node.type !== "CallExpression" || !methodGetters.test(calleeName(node.callee))) return null;
  return node.arguments.at(-1) ?? null;
}
