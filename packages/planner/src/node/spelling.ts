import type { AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { forEachChild, isFunction, type Node } from "./syntax.ts";

/** Methods of the language's lists, texts, functions and promises that no list of names from elsewhere, such as HTTP's methods, has. */
const languageMethods: ReadonlySet<string> = new Set(
  (
    "forEach map filter reduce reduceRight some every findIndex findLast findLastIndex push pop shift unshift splice slice concat join indexOf lastIndexOf includes reverse sort flat " +
    "flatMap fill charAt charCodeAt codePointAt startsWith endsWith split trim trimStart trimEnd toLowerCase toUpperCase padStart padEnd substring substr replace replaceAll match matchAll " +
    "localeCompare normalize call apply toString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable toFixed exec then catch finally"
  ).split(" "),
);

interface Spelled {
  /** Texts that are written out. */
  readonly words: ReadonlySet<string>;
  /** Parts of texts that are put together. */
  readonly pieces: ReadonlySet<string>;
  /** Names are asked of objects, also those of the language's. */
  readonly areListed: boolean;
}

const known = new WeakMap<AppShape, Spelled>();

/**
 * True if what is given under a key that is computed may be given under this name. The language's own methods are
 * nobody's data: a key is such a name only if the app says it, puts it together, or lists what objects have.
 */
export function mayBeSpelled(app: AppShape, name: string): boolean {
  if (!languageMethods.has(name)) return true;
  let spelled = known.get(app);
  if (spelled === undefined) known.set(app, (spelled = collect(app)));
  return spelled.areListed || spelled.words.has(name) || [...spelled.pieces].some((piece) => name.includes(piece));
}

function collect(app: AppShape): Spelled {
  const words = new Set<string>();
  const pieces = new Set<string>();
  let areListed = false;
  const piece = (text: string): void => {
    if (text.length > 1) pieces.add(text);
  };
  const walk = (node: Node): void => {
    if (node.type === "Literal" && typeof node.value === "string") words.add(node.value);
    else if (node.type === "TemplateLiteral") {
      if (node.expressions.length === 0) words.add(node.quasis[0]!.value.cooked ?? "");
      else for (const { value } of node.quasis) piece(value.cooked ?? "");
    } else if ((node.type === "BinaryExpression" && node.operator === "+") || (node.type === "AssignmentExpression" && node.operator === "+=")) {
      for (const part of [node.left, node.right]) if (part.type === "Literal" && typeof part.value === "string") piece(part.value);
    } else if (node.type === "CallExpression") {
      const name = calleeName(node.callee);
      if (/^(getOwnPropertyNames|getOwnPropertyDescriptors|ownKeys)$/.test(name)) areListed = true;
      // `"for".concat("Each")`, `["for", "Each"].join("")`, `"for_each".replace(…)`
      if (/^(concat|join|replace|replaceAll)$/.test(name)) literalsIn(node).forEach(piece);
    }
    forEachChild(node, walk);
  };
  for (const { detail } of app.units.values()) if (detail !== null) walk(detail.program);
  return { words, pieces, areListed };
}

function literalsIn(node: Node): string[] {
  const found: string[] = [];
  const walk = (at: Node): void => {
    if (at.type === "Literal" && typeof at.value === "string") found.push(at.value);
    if (!isFunction(at)) forEachChild(at, walk);
  };
  walk(node);
  return found;
}
