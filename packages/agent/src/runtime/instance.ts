import type { MemberOp, RemovalOp } from "@midflight/protocol";
import type { Makers } from "./makers.ts";
import type { HotState } from "./hot.ts";
import type { FunctionPart } from "./part.ts";
import type { Reader } from "./read-texts.ts";

/** A direct `eval` in some scope of the app: the only way to reach that scope. */
export type Door = (code: string) => unknown;

/** What a guard asks: which body applies to this call. Undefined: the one it was born with. */
export type Pick = (door?: Door, shape?: string, birth?: string) => unknown;

/** State of a binding that an overlay added: found again by the next overlay with the same key. */
export interface Cell {
  readonly name: string;
  /** False until it was first read: nobody can hold its value. */
  readonly isMade: boolean;
  get(): unknown;
  set(value: unknown): void;
}

type Body = (...args: unknown[]) => unknown;

/** An added function or member: what others hold never changes, what it does follows the overlay. */
export interface Stub {
  readonly stub: (...args: never[]) => unknown;
  current: Body | null;
  /** What requests of the old generation get, while there is one. */
  former: Body | null;
}

/** Begins the keys of cells that hold what a later release must find again as it is: state, instances, functions that others keep. */
export const statePrefix = "state:";

/** One loaded copy of a unit: by ESM, CommonJS or with another query string. */
export class Instance {
  readonly unit: string;
  /** First 16 hex digits of the digest of the source it was loaded from. */
  readonly tag: string;
  readonly url: string;
  readonly door: Door;
  /** Its hooks; null if its text declares none. */
  readonly hot: HotState | null;
  /** Names the top level that ran last, once it has run again; null: the boot text's, when it was loaded. */
  program: string | null = null;
  /** Classes that have been made so far, by binding. */
  readonly classes: Map<string, abstract new (...args: never[]) => unknown> = new Map();
  readonly cells: Map<string, Cell> = new Map();
  /** Values of constants that no live overlay names, while somebody holds them. */
  readonly #faded = new Map<string, WeakRef<object>>();
  readonly stubs: Map<string, Stub> = new Map();
  /** The bodies of the current generation. */
  live: ReadonlyMap<string, Pick> = new Map();
  /** What guards find: the same, or, while an old generation is open, what chooses between its bodies and these. */
  written: ReadonlyMap<string, Pick> = new Map();
  /** The cells and imports that the live overlay's texts read; null under the boot shape. */
  scope: object | null = null;
  /** The compiled texts of the live overlay. */
  makers: Makers | null = null;
  /** How what the live overlay changed is read back. */
  readers: readonly Reader[] = [];
  /** True once an overlay with closures was live: some of them may be alive and born under it. */
  hadClosures = false;
  /** By slot, the text of a body that made closures which no overlay can reach: what comes later must leave it alone. */
  readonly sealed: Map<string, string> = new Map();
  /** Members that the live overlay adds: given to a class as soon as it is made. */
  members: readonly { readonly op: MemberOp; readonly part: FunctionPart }[] = [];
  /** The source maps that Node was told, by the names of newer texts, the oldest first. */
  readonly mapped: Map<string, string> = new Map();
  /** Members of the boot text that the live overlay does not have: taken from a class as soon as it is made. */
  removals: readonly RemovalOp[] = [];
  /** By member: gives back what was taken away, and returns what takes it again. */
  readonly removed: Map<string, () => () => void> = new Map();
  /** Functions that show the length and the name of a newer body, and what gives them back their own. */
  readonly imitating: Map<(...args: never[]) => unknown, () => void> = new Map();
  /** What the live overlay adds, and somebody may hold or keep something in, by name. */
  brought: ReadonlySet<string> = new Set();
  /** What the imports of the live overlay's texts stand for, by name. */
  imported: ReadonlyMap<string, string> = new Map();
  /** What is still to be taken away when the old generation has ended. */
  readonly ending: Set<() => void> = new Set();
  /** By guard variable of a member: whether its class had it when that was first asked. */
  readonly firstThere: Map<string, boolean> = new Map();
  /** By guard variable: reads the module-level binding that held its function when that was first asked; null if none did. */
  readonly #holders = new Map<string, (() => unknown) | null>();
  readonly #access = new Map<string, readonly [set: (value: Pick | undefined) => void, get: () => Pick | undefined]>();

  constructor(unit: string, tag: string, url: string, door: Door, hot: HotState | null = null) {
    this.hot = hot;
    this.unit = unit;
    this.tag = tag;
    this.url = url;
    this.door = door;
  }

  /** False if nothing of an overlay is on it: it is as its own text made it. */
  get isChanged(): boolean {
    const { live, written, stubs, removed, imitating, ending, cells, brought, members, removals, hadClosures, program } = this;
    // Members and removals may wait for a class that is not made yet.
    const held = live.size + written.size + stubs.size + removed.size + imitating.size + ending.size + cells.size + brought.size + members.length + removals.length + this.#faded.size;
    return held > 0 || hadClosures || program !== null;
  }

  /** Prepares writing and reading of guard variables: one compilation for all that are new. */
  prepare(slots: Iterable<string>): void {
    const fresh = [...new Set(slots)].filter((slot) => !this.#access.has(slot));
    if (fresh.length === 0) return;
    const pairs = this.door(`[${fresh.map((slot) => `[$mfv=>{${slot}=$mfv},()=>${slot}]`).join(",")}]`) as [(value: Pick | undefined) => void, () => Pick | undefined][];
    fresh.forEach((slot, i) => this.#access.set(slot, pairs[i]!));
  }

  /**
   * Lets go of the constants that are not in `kept`: they can be made again, by the same text. Where somebody holds the
   * value and may compare it, a later overlay finds that very one.
   */
  fade(kept: ReadonlySet<string>): void {
    for (const [key, value] of this.#faded) if (value.deref() === undefined) this.#faded.delete(key);
    for (const [key, cell] of this.cells) {
      if (kept.has(key) || key.startsWith(statePrefix)) continue;
      this.cells.delete(key);
      const value = cell.isMade ? cell.get() : null;
      if ((typeof value === "object" && value !== null) || typeof value === "function") this.#faded.set(key, new WeakRef(value));
    }
  }

  /** The value of a constant that was let go and is held by somebody. */
  faded(key: string): object | undefined {
    return this.#faded.get(key)?.deref();
  }

  /** Finds out which of these functions their bindings hold: one compilation for all that were not asked before. */
  findHolders(functions: Iterable<{ readonly slot: string; readonly name: string }>): void {
    const fresh = [...functions].filter(({ slot, name }) => !this.#holders.has(slot) && isName(name));
    if (fresh.length === 0) return;
    const reads = this.door(`[${fresh.map(({ name }) => `()=>${name}`).join(",")}]`) as (() => unknown)[];
    fresh.forEach(({ slot }, i) => this.#holders.set(slot, holdsGuard(reads[i]!, slot) ? reads[i]! : null));
  }

  /** False if a binding held the function with this guard when it was first asked, and holds another now. */
  isHeld(slot: string): boolean {
    const read = this.#holders.get(slot) ?? null;
    return read === null || holdsGuard(read, slot);
  }

  write(slot: string, value: Pick | undefined): void {
    this.#access.get(slot)![0](value);
  }

  read(slot: string): Pick | undefined {
    return this.#access.get(slot)![1]();
  }
}

const name = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
/** What looks like a name and cannot stand as an expression of a module. */
const keywords: ReadonlySet<string> = new Set([
  "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do", "else", "enum", "eval", "export", "extends", "finally", "for", "function",
  "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "package", "private", "protected", "public", "return", "static", "super", "switch", "throw", "try", "typeof",
  "var", "void", "while", "with", "yield",
]);

function isName(text: string): boolean {
  return name.test(text) && !keywords.has(text);
}

function holdsGuard(read: () => unknown, slot: string): boolean {
  try {
    return hasGuard(read(), slot);
  } catch {
    // Nothing of that name, or not yet.
    return false;
  }
}

/** True for a function whose text asks that guard. */
export function hasGuard(code: unknown, slot: string): boolean {
  return typeof code === "function" && Function.prototype.toString.call(code).includes(slot);
}
