import type { UnitDetail } from "./analyze.ts";
import { referencesIn } from "./scope.ts";
import { boundNames, forEachChild, type FunctionNode, type Node } from "./syntax.ts";

/** The text of an expression, and of what the function declares the locals that it reads with. */
export function textWithLocals({ text, scopes }: UnitDetail, fn: FunctionNode, node: Node): string {
  const texts: string[] = [];
  const seen = new Set<string>();
  let declared: ReadonlyMap<string, readonly Node[]> | null = null;
  const add = ({ start, end }: Node): void => {
    texts.push(text.normalise(start, end));
    for (const { name, where } of referencesIn(scopes.references, start, end)) {
      if (where !== "local" || seen.has(name)) continue;
      seen.add(name);
      declared ??= declaredIn(fn);
      declared.get(name)?.forEach(add);
    }
  };
  add(node);
  return texts.join("\n");
}

/** What the locals of a function begin with, by name. What is assigned to them later is another value in each call. */
function declaredIn(fn: FunctionNode): ReadonlyMap<string, readonly Node[]> {
  const found = new Map<string, Node[]>();
  const put = (name: string, node: Node): void => {
    const list = found.get(name);
    if (list === undefined) found.set(name, [node]);
    else list.push(node);
  };
  const walk = (node: Node): void => {
    // What is put together from what was handed in is another object in each call.
    if (node.type === "VariableDeclarator" && node.init && !isPutTogether(node.init)) for (const name of boundNames(node.id)) put(name, node);
    else if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id) put(node.id.name, node);
    else if (node.type === "AssignmentPattern") for (const name of boundNames(node.left)) put(name, node.right);
    forEachChild(node, walk);
  };
  forEachChild(fn, walk);
  return found;
}

function isPutTogether(node: Node): boolean {
  return node.type === "ObjectExpression" && node.properties.some(({ type }) => type === "SpreadElement");
}
