/**
 * Every module that a source file loads: static, re-exported, dynamic, required, or in a type.
 * Comments are taken out first; a specifier that is not a literal is not found, and resolving is not loading.
 * @param {string} source
 * @returns {string[]}
 */
export function findImports(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(^|[\s;{}(])\/\/[^\n]*/g, "$1");
  const forms = [
    /^\s*(?:import|export)\s[^;"'`]*?\bfrom\s*["']([^"']+)["']/gm,
    /^\s*import\s*["']([^"']+)["']/gm,
    /\b(?:import|require)\s*\(\s*["'`]([^"'`$]+)["'`]/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ""));
}

/** The package of a specifier: `@a/b/c` → `@a/b`, `x/y` → `x`; a relative one has none. @param {string} specifier */
export function packageOf(specifier) {
  if (specifier.startsWith(".") || specifier.startsWith("/") || specifier.startsWith("#")) return undefined;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}
