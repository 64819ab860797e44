/** A listening handle of Node (`TCP`), as it comes over IPC; it is never told to accept here. */
export interface HeldSocket {
  readonly fd: number;
  close(): void;
}

/** The listening sockets of each target, by the names that the app's own words give them. */
export class HeldSockets {
  readonly #byTarget = new Map<string, Map<string, HeldSocket>>();

  of(target: string): ReadonlyMap<string, HeldSocket> {
    return this.#byTarget.get(target) ?? new Map();
  }

  names(): Record<string, string[]> {
    return Object.fromEntries([...this.#byTarget].map(([target, sockets]) => [target, [...sockets.keys()]]));
  }

  put(target: string, name: string, socket: HeldSocket): void {
    let sockets = this.#byTarget.get(target);
    if (sockets === undefined) this.#byTarget.set(target, (sockets = new Map()));
    sockets.get(name)?.close();
    sockets.set(name, socket);
  }

  letGo(target: string, name: string): void {
    this.of(target).get(name)?.close();
    this.#byTarget.get(target)?.delete(name);
  }

  keep(target: string, names: readonly string[]): void {
    for (const name of this.of(target).keys()) if (!names.includes(name)) this.letGo(target, name);
  }
}
