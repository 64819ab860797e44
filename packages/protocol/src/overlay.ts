import type { Digest } from "./digest.ts";
import { asArray, asCount, asNullable, asOneOf, asRecord, asString, invalid } from "./json.ts";
import { isSafePath, parseDigest } from "./tree.ts";

/**
 * What a transition does to one unit: operations, and ranges into the unit's signed artifact: every
 * text an agent compiles is cut from the artifact and joined by the few insertions below (spec/instrument.md).
 */
export interface UnitOps {
  readonly unit: string;
  /** Text that closures created under this overlay report as theirs. "" stands for the boot text. */
  readonly birth: string;
  /** Artifact that all ranges point into (UTF-16 code units of its decoded text). */
  readonly artifact: Digest;
  readonly imports: readonly ImportOp[];
  readonly cells: readonly CellOp[];
  readonly bodies: readonly BodyOp[];
  readonly members: readonly MemberOp[];
  readonly removals: readonly RemovalOp[];
  /** Only for a unit that declares hooks: how its top level runs again (spec/reload.md). Default: it does not. */
  readonly reload?: ReloadOp;
}

/** A range of the artifact that is kept, or one insertion. */
export type Piece = readonly [start: number, end: number] | Insertion;

/** `ref` → `$mfo.x` · `call` → `$mfi($mfo.x)` (so that `this` stays undefined) · `short` → `x:$mfo.x` (shorthand property). */
export type Insertion = readonly [kind: "ref" | "call" | "short", name: string];

/** A name that the overlay's bodies read through `$mfo` because it is imported anew or its exporter changed. */
export type ImportOp =
  /** The changed or added binding `local` of another unit's overlay. */
  | { readonly from: "overlay"; readonly name: string; readonly unit: string; readonly local: string }
  /** A module-level binding of another unit as it is, read through that unit's door. */
  | { readonly from: "unit"; readonly name: string; readonly unit: string; readonly local: string }
  /** An export of a module that is loaded already: `witness` is a loaded unit that imports it statically; null for Node's own. */
  | { readonly from: "module"; readonly name: string; readonly specifier: string; readonly imported: string; readonly witness: string | null }
  /** An export of a unit that the boot release did not have. */
  | { readonly from: "added"; readonly name: string; readonly unit: string; readonly imported: string };

/**
 * A binding that the overlay adds or changes. `key` names its content: a cell with the same key is found again
 * by the next overlay, with the state it holds.
 */
export interface CellOp {
  readonly kind: "function" | "const" | "let" | "class";
  readonly name: string;
  readonly key: string;
  /** True if somebody may have it otherwise than by its name, and would go on with it when it goes. */
  readonly isHeld: boolean;
  /** The declaration's expression; null for a `let` without initialiser. */
  readonly text: readonly Piece[] | null;
}

/** How a body is wrapped before it is compiled; see spec/instrument.md for the proof of each. */
export type BodyForm = "function" | "method";

export interface BodyOp {
  /** Name of the guard's variable, as the boot artifact declares it. */
  readonly slot: string;
  /** Where the text is compiled: the module's door, a class's door (held by a variable), or the door of each activation. */
  readonly door: { readonly kind: "module" } | { readonly kind: "class"; readonly className: string; readonly variable: string; readonly isStatic: boolean } | { readonly kind: "activation" };
  readonly form: BodyForm;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  /** For stack traces. */
  readonly name: string;
  readonly usesSuper: boolean;
  /** With an activation door: which enclosing text the closure must come from. With another: the seal, see spec/transition.md. */
  readonly shape: string;
  /**
   * Not null if the function object is to show the body's `length`, and `name` if that is not null. `path`: where it
   * is found, a binding of the module and properties below it; empty for a member of a class.
   */
  readonly reflect: { readonly path: readonly string[]; readonly name: string | null } | null;
  /** True for a nested body whose text equals boot's: needed only where an earlier overlay reached it. */
  readonly again: boolean;
  readonly text: readonly Piece[];
}

/** A method or accessor that the overlay adds to a class. */
export interface MemberOp {
  /** The class's binding in the module's scope. */
  readonly className: string;
  /** Variable that holds the class's door. */
  readonly variable: string;
  readonly isStatic: boolean;
  readonly kind: "method" | "get" | "set";
  readonly name: string;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  readonly usesSuper: boolean;
  /** True if, once a later overlay lacks it, it has to stay for calls that are under way. */
  readonly stays: boolean;
  /** True if somebody may have taken the method, and would go on with it when it goes. */
  readonly isHeld: boolean;
  readonly text: readonly Piece[];
}

/** A method or accessor of the boot text that the class no longer has under the overlay. One that calls under way may still use is not named. */
export interface RemovalOp {
  readonly className: string;
  readonly isStatic: boolean;
  readonly name: string;
  /** The guards of the functions that are to be there: others are somebody else's, and refuse. */
  readonly slots: readonly string[];
}

/** The top level of a unit that declares hooks, to be run once more in the instance that is there. */
export interface ReloadOp {
  /** Names what the top level says and reads. An instance that runs this very key already is left alone. */
  readonly key: string;
  /** True if the top level is as the boot text's: an instance that never ran anything else is left alone. */
  readonly again: boolean;
  /** Place in the order of evaluation among the transition's reloads, from 0. */
  readonly order: number;
  /** In source order, as ranges into the unit's artifact. */
  readonly steps: readonly ReloadStep[];
  /** The boot text's own top level, to bring it back when a hook throws; its ranges point into the boot artifact. */
  readonly former: { readonly artifact: Digest; readonly steps: readonly ReloadStep[] };
}

export interface ReloadStep {
  /** `bind`: a declarator, as an assignment · `clear`: a variable without initialiser · `run`: a statement. */
  readonly kind: "bind" | "clear" | "run";
  /** True if it may set something up that only `dispose` can undo. */
  readonly hasEffect: boolean;
  readonly text: readonly Piece[];
}

/** Everything the instrumentation adds to a unit's scope begins with this; a unit that uses it is not instrumented. */
export const reservedPrefix = "$mf";

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/** @throws MidflightError `OBJECT_INVALID` for anything an agent should not act on. */
export function parseUnitOps(value: unknown): UnitOps {
  const o = asRecord(value, "ops");
  const unit = asString(o["unit"], "ops.unit");
  if (!isSafePath(unit)) invalid("ops.unit", "a path inside the app");
  return {
    unit,
    birth: asString(o["birth"], "ops.birth", 80),
    artifact: parseDigest(o["artifact"], "ops.artifact"),
    imports: asArray(o["imports"], "ops.imports").map(parseImport),
    cells: asArray(o["cells"], "ops.cells").map(parseCell),
    bodies: asArray(o["bodies"], "ops.bodies").map(parseBody),
    members: asArray(o["members"], "ops.members").map(parseMember),
    removals: asArray(o["removals"] ?? [], "ops.removals").map(parseRemoval),
    ...(o["reload"] !== undefined && { reload: parseReload(o["reload"]) }),
  };
}

function asIdentifier(value: unknown, path: string): string {
  const text = asString(value, path, 500);
  if (!identifier.test(text)) invalid(path, "an identifier");
  return text;
}

function asSlot(value: unknown, path: string): string {
  const text = asIdentifier(value, path);
  if (!text.startsWith(reservedPrefix)) invalid(path, `a name that begins with ${reservedPrefix}`);
  return text;
}

function parsePieces(value: unknown, path: string): readonly Piece[] {
  let last = 0;
  return asArray(value, path).map((raw): Piece => {
    const piece = asArray(raw, path, 2);
    if (typeof piece[0] === "number") {
      const start = asCount(piece[0], path);
      const end = asCount(piece[1], path);
      if (start < last || end < start) invalid(path, "a list of ascending ranges");
      last = end;
      return [start, end];
    }
    const kind: Insertion[0] = asOneOf(piece[0], ["ref", "call", "short"], path);
    return [kind, asIdentifier(piece[1], path)];
  });
}

function parseImport(value: unknown): ImportOp {
  const i = asRecord(value, "import");
  const from = asOneOf(i["from"], ["overlay", "unit", "module", "added"], "import.from");
  const name = asIdentifier(i["name"], "import.name");
  switch (from) {
    case "overlay":
    case "unit":
      return { from, name, unit: asString(i["unit"], "import.unit"), local: asIdentifier(i["local"], "import.local") };
    case "module":
      return {
        from,
        name,
        specifier: asSpecifier(i["specifier"]),
        imported: asString(i["imported"], "import.imported", 500),
        witness: asNullable(i["witness"], asString, "import.witness"),
      };
    case "added":
      return { from, name, unit: asString(i["unit"], "import.unit"), imported: asString(i["imported"], "import.imported", 500) };
  }
}

/** A module's name or a relative path: an address (`data:`, `file:`, `https:`) could hold a text that nobody signed. */
function asSpecifier(value: unknown): string {
  const specifier = asString(value, "import.specifier");
  if (/^[/\\\s]|^(?!node:)[a-z][a-z\d+.-]*:/i.test(specifier)) invalid("import.specifier", "a module's name or a relative path");
  return specifier;
}

function parseCell(value: unknown): CellOp {
  const c = asRecord(value, "cell");
  return {
    kind: asOneOf(c["kind"], ["function", "const", "let", "class"], "cell.kind"),
    name: asIdentifier(c["name"], "cell.name"),
    key: asString(c["key"], "cell.key", 600),
    isHeld: c["isHeld"] === true,
    text: asNullable(c["text"], parsePieces, "cell.text"),
  };
}

function parseBody(value: unknown): BodyOp {
  const b = asRecord(value, "body");
  const door = asRecord(b["door"], "body.door");
  const kind = asOneOf(door["kind"], ["module", "class", "activation"], "body.door.kind");
  return {
    slot: asSlot(b["slot"], "body.slot"),
    door: kind === "class" ? { kind, className: asIdentifier(door["className"], "body.door.className"), variable: asSlot(door["variable"], "body.door.variable"), isStatic: door["isStatic"] === true } : { kind },
    form: asOneOf(b["form"], ["function", "method"], "body.form"),
    isAsync: b["isAsync"] === true,
    isGenerator: b["isGenerator"] === true,
    name: asString(b["name"], "body.name", 500),
    usesSuper: b["usesSuper"] === true,
    shape: asString(b["shape"], "body.shape", 80),
    reflect: asNullable(b["reflect"] ?? null, parseReflect, "body.reflect"),
    again: b["again"] === true,
    text: parsePieces(b["text"], "body.text"),
  };
}

function parseReflect(value: unknown, at: string): BodyOp["reflect"] {
  const r = asRecord(value, at);
  const path = asArray(r["path"], at, 20).map((part, i) => (i === 0 ? asIdentifier(part, at) : asString(part, at, 500)));
  return { path, name: asNullable(r["name"], (name, where) => asString(name, where, 500), at) };
}

function parseMember(value: unknown): MemberOp {
  const m = asRecord(value, "member");
  return {
    className: asIdentifier(m["className"], "member.className"),
    variable: asSlot(m["variable"], "member.variable"),
    isStatic: m["isStatic"] === true,
    kind: asOneOf(m["kind"], ["method", "get", "set"], "member.kind"),
    name: asString(m["name"], "member.name", 500),
    isAsync: m["isAsync"] === true,
    isGenerator: m["isGenerator"] === true,
    usesSuper: m["usesSuper"] === true,
    stays: m["stays"] === true,
    isHeld: m["isHeld"] === true,
    text: parsePieces(m["text"], "member.text"),
  };
}

function parseRemoval(value: unknown): RemovalOp {
  const r = asRecord(value, "removal");
  return {
    className: asIdentifier(r["className"], "removal.className"),
    isStatic: r["isStatic"] === true,
    name: asString(r["name"], "removal.name", 500),
    slots: asArray(r["slots"], "removal.slots", 2).map((slot) => asSlot(slot, "removal.slots")),
  };
}

function parseReload(value: unknown): ReloadOp {
  const r = asRecord(value, "reload");
  const former = asRecord(r["former"], "reload.former");
  const steps = (list: unknown, path: string): readonly ReloadStep[] =>
    asArray(list, path).map((raw) => {
      const step = asRecord(raw, path);
      return { kind: asOneOf(step["kind"], ["bind", "clear", "run"], `${path}.kind`), hasEffect: step["hasEffect"] === true, text: parsePieces(step["text"], `${path}.text`) };
    });
  return {
    key: asString(r["key"], "reload.key", 80),
    again: r["again"] === true,
    order: asCount(r["order"], "reload.order"),
    steps: steps(r["steps"], "reload.steps"),
    former: { artifact: parseDigest(former["artifact"], "reload.former.artifact"), steps: steps(former["steps"], "reload.former.steps") },
  };
}
