/** A listening handle of Node (`TCP`), as it comes over IPC; it is never told to accept here. */
export interface HeldSocket {
  readonly fd: number;
  close(): void;
}

export function isHeldSocket(value: unknown): value is HeldSocket {
  return typeof value === "object" && value !== null && typeof (value as HeldSocket).fd === "number" && (value as HeldSocket).fd >= 0;
}

/** Listening sockets by who uses them, a process or a group of them, and by the names that the app's own words give them. */
export class HeldSockets {
  readonly #byOwner = new Map<string, Map<string, HeldSocket>>();

  of(owner: string): ReadonlyMap<string, HeldSocket> {
    return this.#byOwner.get(owner) ?? new Map();
  }

  names(): Record<string, string[]> {
    return Object.fromEntries([...this.#byOwner].map(([owner, sockets]) => [owner, [...sockets.keys()]]));
  }

  put(owner: string, name: string, socket: HeldSocket): void {
    let sockets = this.#byOwner.get(owner);
    if (sockets === undefined) this.#byOwner.set(owner, (sockets = new Map()));
    sockets.get(name)?.close();
    sockets.set(name, socket);
  }

  letGo(owner: string, name: string): void {
    this.take(owner, name)?.close();
  }

  /** Out of here, and still open. */
  take(owner: string, name: string): HeldSocket | undefined {
    const socket = this.of(owner).get(name);
    this.#byOwner.get(owner)?.delete(name);
    return socket;
  }

  keep(owner: string, names: readonly string[]): void {
    for (const name of this.of(owner).keys()) if (!names.includes(name)) this.letGo(owner, name);
  }
}
