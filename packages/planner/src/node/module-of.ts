import type { UnitDetail } from "./analyze.ts";

/** What a name of a unit is imported or required from as a whole: `const http = require("node:http")`. Null if it is neither. */
export function moduleOf(name: string, { facts }: UnitDetail): string | null {
  const imported = facts.imports.get(name);
  if (imported !== undefined) return imported.specifier;
  const value = facts.declarations.get(name)?.value;
  if (value?.type !== "CallExpression" || value.callee.type !== "Identifier" || value.callee.name !== "require") return null;
  const [specifier] = value.arguments;
  return specifier?.type === "Literal" ? String(specifier.value) : null;
}
