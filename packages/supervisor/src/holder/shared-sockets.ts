import { bindSocket } from "./bind-socket.ts";
import { HeldSockets } from "./held-sockets.ts";

/** The sockets that the configuration names: open before a process is there, and shared by all processes of a group. */
export class SharedSockets extends HeldSockets {
  #binding: Promise<unknown> = Promise.resolve();

  /**
   * Opens what is not open yet and lets all others of the group go. One group after the other: what one lets go, the next may bind.
   * @param adopt a socket by that name that a process of the group has opened itself, before the configuration named it
   * @throws Error with the reason
   */
  bind(group: string, names: readonly string[], adopt: (name: string) => ReturnType<HeldSockets["take"]>): Promise<void> {
    const bound = this.#binding.then(async () => {
      this.keep(group, names);
      for (const name of names) {
        if (!this.of(group).has(name)) this.put(group, name, adopt(name) ?? (await bindSocket(name)));
      }
    });
    this.#binding = bound.catch(() => undefined);
    return bound;
  }
}
