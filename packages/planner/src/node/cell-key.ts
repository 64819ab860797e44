import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import type { Changes } from "./change.ts";
import { importOf } from "./facts.ts";
import { namesOf } from "./names.ts";
import { referencesIn } from "./scope.ts";
import { holdsFunctions, stateIn } from "./state.ts";
import { contentKey } from "./text.ts";

/** Names a cell's content: its own text and, through what it reads, all other changed cells it was made from. */
export function cellKey(target: AppShape, unit: string, name: string, changes: Changes, seen: Set<string> = new Set()): string {
  const id = `${unit}\0${name}`;
  const detail = detailOf(target, unit);
  const declaration = detail?.facts.declarations.get(name);
  if (!detail || !declaration || seen.has(id)) return name;
  seen.add(id);
  if (changes.get(unit)?.get(name) === "function") {
    // The stub of a function stays the same whatever its body; but closures that it made could not follow.
    const site = detail.facts.byKey.get(name);
    const makesClosures = site === undefined || site.isOpaque || site.hasParamClosures || site.nested.some((nested) => nested.escapes);
    return makesClosures ? `state:function:${name}:${contentKey(detail.text.normalise(declaration.start, declaration.end))}` : `function:${name}`;
  }
  const { value } = declaration;
  const kept = keptKey(target, unit, name);
  if (value === null) return `state:${declaration.kind}:${name}${kept}`;
  const parts = [detail.text.normalise(value.start, value.end)];
  for (const ref of referencesIn(detail.scopes.references, value.start, value.end)) {
    if (ref.where === "local") continue;
    const change = changes.get(unit)?.get(ref.name);
    if (change === undefined) continue;
    if (change !== "import") parts.push(cellKey(target, unit, ref.name, changes, seen));
    else {
      const imported = importOf(detail.facts, ref.name)!;
      const from = resolveUnit(target, unit, imported.specifier);
      const origin = from === null ? null : findOrigin(target, from, imported.imported);
      parts.push(origin?.kind === "binding" ? cellKey(target, origin.unit, origin.local, changes, seen) : `${imported.specifier} ${imported.imported}`);
    }
  }
  // What may be assigned or changed, or is kept by others with the functions in it, must not be made anew by a later release.
  const isPlain = declaration.isFixed && stateIn(declaration, unit, target) === null && !holdsFunctions(value);
  return `${isPlain ? "" : "state:"}${declaration.kind}:${name}:${contentKey(parts.join("\n"))}${kept}`;
}

/** What was computed once and kept in a variable that an update added stays there: names all code that it was computed by. */
function keptKey(target: AppShape, unit: string, name: string): string {
  const { facts, scopes } = detailOf(target, unit)!;
  const uses = (scopes.byName.get(name) ?? []).filter((ref) => ref.where === "module");
  const makers = facts.topSites.filter(({ fn }) => uses.some((ref) => ref.start >= fn.start && ref.end <= fn.end));
  const texts = new Set<string>();
  for (const { node } of namesOf(detailOf(target, unit)!).kept) if (makers.some(({ fn }) => node.start >= fn.start && node.end <= fn.end)) addTexts(target, unit, node, texts);
  return texts.size === 0 ? "" : `:${contentKey([...texts].join("\n"))}`;
}

/** The text of a piece of code and of all declarations that it reaches by name. */
function addTexts(app: AppShape, unit: string, { start, end }: { readonly start: number; readonly end: number }, texts: Set<string>): void {
  const detail = detailOf(app, unit);
  if (detail === null) return;
  const text = `${unit} ${detail.text.normalise(start, end)}`;
  if (texts.has(text)) return;
  texts.add(text);
  for (const ref of referencesIn(detail.scopes.references, start, end)) {
    if (ref.where !== "module") continue;
    const imported = importOf(detail.facts, ref.name);
    const from = imported === null ? null : resolveUnit(app, unit, imported.specifier);
    const origin = from === null ? null : findOrigin(app, from, imported!.imported);
    const [there, local] = origin?.kind === "binding" ? [origin.unit, origin.local] : [unit, ref.name];
    const declaration = detailOf(app, there)?.facts.declarations.get(local);
    if (declaration !== undefined) addTexts(app, there, declaration, texts);
  }
}
