import net from "node:net";
import { addressOfSocket } from "./bind-socket.ts";
import { isHeldSocket, type HeldSocket } from "./held-sockets.ts";

/** Listening sockets that this process was started with, as by systemd, until somebody names them. */
export class InheritedSockets {
  readonly #sockets: HeldSocket[];

  /** @param count how many; they are the descriptors from 3 on (sd_listen_fds(3)). What is no TCP socket is left alone. */
  constructor(count: number) {
    this.#sockets = Array.from({ length: count }, (_, index) => openHeldSocket(3 + index)).filter((socket) => socket !== null);
  }

  /** The one that listens where a name says: `127.0.0.1:3000`, or `:3000` for every address. */
  take(name: string): HeldSocket | undefined {
    const { host, port } = addressOfSocket(name);
    const at = this.#sockets.findIndex((socket) => {
      const own: { address?: string; port?: number } = {};
      (socket as HeldSocket & { getsockname(out: object): number }).getsockname(own);
      return own.port === port && (host === "" ? own.address === "::" || own.address === "0.0.0.0" : own.address === host);
    });
    return at === -1 ? undefined : this.#sockets.splice(at, 1)[0];
  }
}

/** As Node makes it of a descriptor, without accepting; see the agent's node-inside.ts. */
function openHeldSocket(fd: number): HeldSocket | null {
  try {
    const create = Reflect.get(net, "_createServerHandle") as (address: null, port: null, type: null, fd: number) => unknown;
    const handle = create(null, null, null, fd);
    return isHeldSocket(handle) && typeof Reflect.get(handle, "getsockname") === "function" ? handle : null;
  } catch {
    return null;
  }
}
