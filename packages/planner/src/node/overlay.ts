import type { BodyOp, CellOp, ImportOp, MemberOp, Piece, ReloadOp, ReloadStep, RemovalOp, UnitOps } from "@midflight/protocol";
import type { Digest } from "@midflight/protocol";
import type { UnitDetail } from "./analyze.ts";
import type { Change } from "./change.ts";
import { referencesIn } from "./scope.ts";
import { classDoorName, type Site } from "./sites.ts";
import type { Node } from "./syntax.ts";

/** A name in a pattern that binds it. */
interface Bound {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly role: "ref" | "short";
}

/** Writes the operations of one unit as ranges into its artifact. Decides nothing: what changes was found before. */
export class OverlayWriter {
  readonly #detail: UnitDetail;
  readonly #changed: ReadonlyMap<string, Change>;
  readonly bodies: BodyOp[] = [];
  readonly members: MemberOp[] = [];
  readonly removals: RemovalOp[] = [];
  readonly cells: CellOp[] = [];
  readonly imports: ImportOp[] = [];
  reload: ReloadOp | null = null;

  constructor(detail: UnitDetail, changed: ReadonlyMap<string, Change>) {
    this.#detail = detail;
    this.#changed = changed;
  }

  /** A range of the source as pieces of the artifact; `cuts` are artifact ranges left out. */
  #pieces(start: number, end: number, source: { readonly start: number; readonly end: number }, cuts: readonly (readonly [number, number])[], bound: readonly Bound[] = []): Piece[] {
    const { map, scopes } = this.#detail;
    const marks: { at: number; to: number; piece: Piece | null }[] = cuts.filter(([a, b]) => b > a).map(([at, to]) => ({ at, to, piece: null }));
    for (const ref of this.#changed.size === 0 ? [] : referencesIn(scopes.references, source.start, source.end)) {
      if (ref.where === "local" || ref.role === "export" || !this.#changed.has(ref.name)) continue;
      const at = map(ref.start);
      marks.push({ at, to: at + (ref.end - ref.start), piece: [ref.role, ref.name] });
    }
    for (const { name, start: from, end: to, role } of bound) marks.push({ at: map(from), to: map(from) + (to - from), piece: [role, name] });
    marks.sort((a, b) => a.at - b.at);
    const out: Piece[] = [];
    let at = start;
    for (const mark of marks) {
      if (mark.at < at) continue;
      if (mark.at > at) out.push([at, mark.at]);
      if (mark.piece !== null) out.push(mark.piece);
      at = mark.to;
    }
    if (end > at) out.push([at, end]);
    return out;
  }

  /** A site's function without its own guard, and without its name where the name must go on meaning the original. */
  #siteText(site: Site): Piece[] {
    const placement = this.#detail.placements.get(site)!;
    const cuts: (readonly [number, number])[] = [[placement.guardStart, placement.guardEnd]];
    if (site.fn.type === "FunctionDeclaration" && site.fn.id) cuts.push(this.#range(site.fn.id));
    return this.#pieces(placement.start, placement.end, site.fn, cuts);
  }

  #range(node: Node): readonly [number, number] {
    const start = this.#detail.map(node.start);
    return [start, start + (node.end - node.start)];
  }

  /** `seal`: names the text of a body that makes closures which no later overlay can reach; see spec/instrument.md. */
  body(site: Site, bootSlot: string, again: boolean, seal = "", reflect: BodyOp["reflect"] = null): void {
    const { fn } = site;
    this.bodies.push({
      slot: bootSlot,
      door: site.depth > 0 ? { kind: "activation" } : site.member !== null ? { kind: "class", className: site.className!, variable: classDoorName(site.className!), isStatic: site.member.static } : { kind: "module" },
      form: site.form, isAsync: fn.async, isGenerator: fn.generator, name: site.name, usesSuper: site.usesSuper,
      shape: site.depth > 0 ? (this.#detail.facts.shapes.get(site) ?? "") : seal, reflect, again, text: this.#siteText(site),
    });
  }

  /** `stays`: calls of it may be under way when a later overlay lacks it. */
  member(site: Site, stays: boolean, isHeld: boolean): void {
    const { fn, member } = site;
    this.members.push({
      className: site.className!, variable: classDoorName(site.className!), isStatic: member!.static, kind: member!.kind === "get" || member!.kind === "set" ? member!.kind : "method",
      name: site.memberName!, isAsync: fn.async, isGenerator: fn.generator, usesSuper: site.usesSuper, stays, isHeld, text: this.#siteText(site),
    });
  }

  /** Of the boot text: both halves of an accessor are one property. */
  remove({ className, member, memberName, slot }: Site): void {
    const isStatic = member!.static;
    const found = this.removals.findIndex((op) => op.className === className && op.isStatic === isStatic && op.name === memberName);
    const slots = found === -1 ? [slot] : [...this.removals[found]!.slots, slot];
    this.removals.splice(found === -1 ? this.removals.length : found, 1, { className: className!, isStatic, name: memberName!, slots });
  }

  cell(name: string, kind: Exclude<Change, "import">, key: string, isHeld: boolean): void {
    const declaration = this.#detail.facts.declarations.get(name)!;
    const { value } = declaration;
    if (value === null) {
      this.cells.push({ kind, name, key, isHeld, text: null });
      return;
    }
    const site = this.#detail.facts.byKey.get(name);
    if (kind === "function" && site) this.cells.push({ kind, name, key, isHeld, text: this.#siteText(site) });
    else {
      const door = this.#detail.classDoors.get(name);
      const start = this.#detail.map(value.start);
      this.cells.push({ kind, name, key, isHeld, text: this.#pieces(start, this.#detail.map(value.end), value, kind === "class" && door ? [door] : []) });
    }
  }

  /** A declarator or statement of the top level, to be run again. */
  step(kind: ReloadStep["kind"], node: Node, hasEffect: boolean): ReloadStep {
    const bound = this.#bound(node.type === "VariableDeclarator" ? node.id : node.type === "Identifier" ? node : null);
    return { kind, hasEffect, text: this.#pieces(this.#detail.map(node.start), this.#detail.map(node.end), node, [], bound) };
  }

  /** Names that a pattern declares are no references; assigned anew, those that the overlay adds are. */
  #bound(pattern: Node | null, isShort = false, out: Bound[] = []): readonly Bound[] {
    switch (pattern?.type) {
      case "Identifier":
        if (this.#changed.has(pattern.name)) out.push({ name: pattern.name, start: pattern.start, end: pattern.end, role: isShort ? "short" : "ref" });
        break;
      case "AssignmentPattern":
        this.#bound(pattern.left, isShort, out);
        break;
      case "RestElement":
        this.#bound(pattern.argument, false, out);
        break;
      case "ArrayPattern":
        for (const element of pattern.elements) this.#bound(element, false, out);
        break;
      case "ObjectPattern":
        for (const property of pattern.properties) this.#bound(property.type === "RestElement" ? property : property.value, property.type !== "RestElement" && property.shorthand, out);
        break;
      default:
        break;
    }
    return out;
  }

  get isEmpty(): boolean {
    return this.reload === null && this.bodies.length + this.members.length + this.removals.length + this.cells.length + this.imports.length === 0;
  }

  finish(unit: string, birth: string, artifact: Digest): UnitOps {
    return { unit, birth, artifact, imports: this.imports, cells: this.cells, bodies: this.bodies, members: this.members, removals: this.removals, ...(this.reload !== null && { reload: this.reload }) };
  }
}

