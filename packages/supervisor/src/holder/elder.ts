import { Socket } from "node:net";
import type { ToElder } from "./link.ts";
import type { ElderWord, HeldFacts, HolderAnswer, HolderRequest } from "./words.ts";

export interface ElderEvents {
  onSocket(word: Extract<ElderWord, { readonly kind: "socket" }>, carried: unknown): void;
  /** Everything is here. */
  onAll(): void;
  onConnection(heir: number, socket: string, connection: Socket): void;
  onClosed(target: string, group: string, socket: string): void;
  /** For the supervisor. */
  tell(answer: HolderAnswer): void;
  onLost(): void;
}

interface ElderChild extends HeldFacts {
  readonly listening: string[];
}

/** The holder before this one: it is still the parent of what it started. */
export class Elder {
  readonly #link: ToElder;
  readonly #children = new Map<number, ElderChild>();

  constructor(link: ToElder, events: ElderEvents) {
    this.#link = link;
    link.listen((word, carried) => this.#take(word, carried, events));
    void link.lost.then(() => {
      const pids = [...this.#children.keys()];
      this.#children.clear();
      for (const pid of pids) events.tell({ kind: "lost", pid });
      events.onLost();
    });
  }

  get children(): readonly HeldFacts[] {
    return [...this.#children.values()];
  }

  has(pid: number): boolean {
    return this.#children.has(pid);
  }

  published(): Promise<boolean> {
    return this.#link.say({ kind: "published" });
  }

  /** What is asked of one of its processes. */
  pass(request: HolderRequest): void {
    void this.#link.say({ kind: "request", request });
  }

  keepShared(group: string, sockets: readonly string[]): void {
    void this.#link.say({ kind: "keep-shared", group, sockets });
  }

  #take(word: ElderWord, carried: unknown, events: ElderEvents): void {
    switch (word.kind) {
      case "socket":
        events.onSocket(word, carried);
        return;
      case "child":
        this.#children.set(word.facts.pid, { ...word.facts, listening: [...word.facts.listening] });
        return;
      case "all":
        events.onAll();
        return;
      case "connection":
        if (carried instanceof Socket) events.onConnection(word.heir, word.socket, carried);
        return;
      case "closed": {
        const child = this.#children.get(word.pid);
        if (child === undefined) return;
        events.onClosed(child.target, child.group, word.socket);
        this.pass({ kind: "say", pid: word.pid, word: { kind: "let-go", socket: word.socket }, heir: null });
        return;
      }
      case "answer":
        this.#note(word.answer);
        events.tell(word.answer);
    }
  }

  /** Who connects later wants to know it, too. */
  #note(answer: HolderAnswer): void {
    if (answer.kind === "exited" || answer.kind === "lost") this.#children.delete(answer.pid);
    else if (answer.kind === "heard" && answer.word.kind === "listening") this.#children.get(answer.pid)?.listening.push(answer.word.socket);
  }
}
