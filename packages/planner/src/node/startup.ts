import type { AppShape } from "./app.ts";
import { Course, isImplicit } from "./course.ts";
import { MemberIndex, siteAround, type Found } from "./member-index.ts";
import { namesOf } from "./names.ts";
import { handedInFor } from "./handed-in.ts";
import { receiverOf, type Receiver } from "./prototypes.ts";
import type { Site } from "./sites.ts";
import type { FunctionNode, Node } from "./syntax.ts";

const known = new WeakMap<AppShape, Startup>();

/**
 * Which functions may have run while the process started: what they returned or set up may still be in use.
 * `reloaded`: units whose top level runs again, so that what it alone called is called again.
 */
export function findStartup(app: AppShape, reloaded: ReadonlySet<string> = new Set()): Startup {
  if (reloaded.size > 0) return new Startup(app, reloaded);
  let startup = known.get(app);
  if (startup === undefined) known.set(app, (startup = new Startup(app)));
  return startup;
}

/** Code that is kept in an object: it counts only if an object of that kind is there for as long as the process. */
interface Own {
  readonly unit: string;
  readonly node: Node;
  readonly receiver: Receiver;
}

/** What an app's top levels may call, and what is computed once and kept, whenever that is. */
export class Startup {
  readonly #app: AppShape;
  readonly #index: MemberIndex;
  readonly #start: Course;
  readonly #keeping: Course;

  constructor(app: AppShape, reloaded: ReadonlySet<string> = new Set()) {
    this.#app = app;
    this.#index = new MemberIndex(app);
    this.#start = new Course(app, this.#index, true);
    for (const [unit, { detail }] of app.units) {
      if (reloaded.has(unit)) continue;
      if (detail === null) this.#start.runUnread(unit);
      else this.#start.run(`top level of ${unit}`, unit, (walker) => walker.runProgram());
    }
    this.#start.finish();
    if (reloaded.size > 0) this.#start.beginAgain();
    for (const unit of reloaded) this.#start.run(`top level of ${unit}`, unit, (walker) => walker.runProgram());
    this.#start.finish();
    // This runs at any time, among closures that whatever ran before has made.
    this.#keeping = new Course(app, this.#index, false);
    this.#keep();
  }

  #keep(): void {
    const app = this.#app;
    const run = (unit: string, node: Node): void => {
      const by = `code of ${unit} that keeps what it gives`;
      this.#keeping.run(by, unit, (walker) => walker.runOnce(node));
      for (const given of handedInFor(app, unit, node)) this.#keeping.run(by, given.unit, (walker) => walker.runGiven(given.node));
    };
    let waiting: Own[] = [];
    for (const [unit, { detail }] of app.units) {
      if (detail === null) continue;
      for (const { node, isOwn } of namesOf(detail).kept) {
        const site = isOwn ? siteAround(detail, node) : null;
        const receiver = site === null ? null : receiverOf(app, unit, site);
        if (receiver === null) run(unit, node);
        else waiting.push({ unit, node, receiver });
      }
    }
    this.#keeping.finish();
    for (let isMore = true; isMore; this.#keeping.finish()) {
      const lasting = waiting.filter(({ receiver }) => this.#mayLast(receiver));
      waiting = waiting.filter((own) => !lasting.includes(own));
      for (const { unit, node } of lasting) run(unit, node);
      isMore = lasting.length > 0;
    }
  }

  /** True if something that the process made at its start, or keeps, may be what is meant; what requests make ends with them. */
  #mayLast(receiver: Receiver): boolean {
    const courses = [this.#start, this.#keeping];
    switch (receiver.kind) {
      case "itself":
        return true;
      case "heirs":
        return receiver.makers.some((maker) => maker === null || courses.some(({ ran }) => ran.has(maker)));
      case "instances": {
        const site = this.#index.siteOf.get(receiver.of as FunctionNode);
        return courses.some(({ made, ran }) => made.has(receiver.of) || (site !== undefined && ran.has(site)));
      }
    }
  }

  /** True if what the site's code keeps in its own object may be there for as long as the process, and not just for a request. */
  isLasting(unit: string, site: Site): boolean {
    return this.#mayLast(receiverOf(this.#app, unit, site));
  }

  /** What called the site while the process started, for people; null if nothing can have. */
  callerOf(site: Site): string | null {
    return this.#start.callerOf(site) ?? this.#keeping.ran.get(site) ?? null;
  }

  /** True if a property of that name was looked at while the process started: whether it exists may have mattered. */
  sawMember(name: string): boolean {
    return isImplicit(name) || [this.#start, this.#keeping].some(({ seen }) => seen.has(name) || seen.has("?"));
  }

  /** All functions that a call by a property's name may mean; null if others may be meant, too. */
  readonly candidates = (key: string): readonly Found[] | null => this.#index.candidates(key);

  /** The functions of the app that are known under a property's name; there may be others that are not known. */
  functionsUnder(key: string): readonly { readonly unit: string; readonly fn: FunctionNode }[] {
    return this.#index.functionsUnder(key);
  }
}
