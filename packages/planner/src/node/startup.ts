import { detailOf, findOrigin, isBuiltin, resolveUnit, type AppShape } from "./app.ts";
import { calleeName, runsWhenPassed } from "./closures.ts";
import type { Site } from "./sites.ts";
import { forEachChild, type Node } from "./syntax.ts";
import type { UnitDetail } from "./analyze.ts";

/** Life-cycle hooks that run once, before the first request. */
const startHooks = /^addHook\("(onReady|onListen|onRegister|onRoute|preClose|onClose)"\)/;

const known = new WeakMap<AppShape, Startup>();

/** Which functions may have run while the process started: what they returned or set up may still be in use. */
export function findStartup(app: AppShape): Startup {
  let startup = known.get(app);
  if (startup === undefined) known.set(app, (startup = new Startup(app)));
  return startup;
}

export class Startup {
  readonly #app: AppShape;
  readonly #ran = new Map<Site, string>();
  readonly #byMember = new Map<string, { unit: string; site: Site }[]>();
  readonly #returned: { unit: string; site: Site }[] = [];

  constructor(app: AppShape) {
    this.#app = app;
    for (const unit of app.units.keys()) this.#index(unit);
    for (const unit of app.units.keys()) this.#runUnit(unit);
  }

  /** What called the site while the process started, for people; null if nothing is known to have. */
  callerOf(site: Site): string | null {
    return this.#ran.get(site) ?? null;
  }

  #index(unit: string): void {
    for (const site of detailOf(this.#app, unit)?.facts.sites.all ?? []) {
      if (site.memberName !== null) {
        const list = this.#byMember.get(site.memberName);
        if (list === undefined) this.#byMember.set(site.memberName, [{ unit, site }]);
        else list.push({ unit, site });
      }
      if (site.key.endsWith("/return")) this.#returned.push({ unit, site });
    }
  }

  #runUnit(unit: string): void {
    const analysis = this.#app.units.get(unit)!;
    if (analysis.detail === null) {
      // Its code cannot be read: all that it can reach may have run.
      for (const { specifier } of analysis.imports) {
        const target = resolveUnit(this.#app, unit, specifier);
        for (const site of (target === null ? null : detailOf(this.#app, target))?.facts.sites.all ?? []) this.#mark(target!, site, `${unit}, which is not instrumented`);
      }
      return;
    }
    this.#runRegion(unit, analysis.detail, analysis.detail.program, null, `top level of ${unit}`);
  }

  #mark(unit: string, site: Site, by: string): void {
    if (this.#ran.has(site)) return;
    this.#ran.set(site, by);
    const detail = detailOf(this.#app, unit);
    if (detail) this.#runRegion(unit, detail, site.fn, site, `${site.key}() in ${unit}`);
  }

  #runRegion(unit: string, detail: UnitDetail, region: Node, owner: Site | null, by: string): void {
    const inner = new Set<Node>();
    for (const site of owner === null ? detail.facts.sites.all.filter((s) => s.owner === null) : owner.nested) {
      inner.add(site.fn);
      if (site.passedTo !== null && (runsWhenPassed(site.passedTo) || startHooks.test(site.key.split(/[/:]/).at(-1)!))) this.#mark(unit, site, by);
    }
    const walk = (node: Node): void => {
      if (inner.has(node)) return;
      if (node.type === "CallExpression" || node.type === "NewExpression") this.#call(unit, detail, node, by);
      else if (node.type === "TaggedTemplateExpression") this.#name(unit, detail, node.tag, by);
      forEachChild(node, walk);
    };
    forEachChild(region, walk);
  }

  #call(unit: string, detail: UnitDetail, node: Extract<Node, { type: "CallExpression" | "NewExpression" }>, by: string): void {
    const { callee } = node;
    this.#name(unit, detail, callee, by);
    if (!runsWhenPassed(calleeName(callee))) return;
    for (const argument of node.arguments) if (argument.type === "Identifier") this.#name(unit, detail, argument, by);
  }

  #name(unit: string, detail: UnitDetail, callee: Node, by: string): void {
    if (callee.type === "Identifier") this.#binding(unit, callee.name, by);
    else if (callee.type === "MemberExpression" && callee.property.type === "Identifier") {
      if (!this.#isOutside(unit, detail, callee.object)) {
        for (const found of this.#byMember.get(callee.property.name) ?? []) this.#mark(found.unit, found.site, by);
      }
    }
  }

  /** True if an object surely is not the app's: a global, or from a package. */
  #isOutside(unit: string, detail: UnitDetail, object: Node): boolean {
    if (object.type !== "Identifier") return object.type === "Literal" || object.type === "TemplateLiteral" || object.type === "ArrayExpression";
    const imported = detail.facts.imports.get(object.name);
    if (imported) return isBuiltin(imported.specifier) || resolveUnit(this.#app, unit, imported.specifier) === null;
    return detail.scopes.byName.get(object.name)?.some((ref) => ref.start === object.start && ref.where === "global") === true;
  }

  #binding(unit: string, name: string, by: string): void {
    const detail = detailOf(this.#app, unit);
    if (!detail) return;
    const imported = detail.facts.imports.get(name);
    if (imported) {
      const target = resolveUnit(this.#app, unit, imported.specifier);
      if (target === null) return;
      const origin = findOrigin(this.#app, target, imported.imported);
      if (origin.kind === "binding") this.#local(origin.unit, origin.local, by);
      else for (const site of detailOf(this.#app, target)?.facts.sites.all ?? []) if (site.depth === 0) this.#mark(target, site, by);
      return;
    }
    this.#local(unit, name, by);
  }

  #local(unit: string, name: string, by: string): void {
    const facts = detailOf(this.#app, unit)?.facts;
    if (!facts) return;
    const direct = facts.byKey.get(name) ?? facts.byKey.get(`${name}.constructor`);
    if (direct) return this.#mark(unit, direct, by);
    const declaration = facts.declarations.get(name);
    if (declaration?.kind === "class") return;
    // A value of unknown making, called: any function that some function returned.
    if (declaration !== undefined) for (const found of this.#returned) this.#mark(found.unit, found.site, by);
  }
}
