import { fork } from "node:child_process";
import { isHeldSocket, type HeldSocket } from "./held-sockets.ts";
import { programOf } from "./program.ts";

/**
 * Opens a listening socket that this process never accepts from. Node accepts as soon as it listens; so another process
 * listens, passes the socket here in the same turn, before it could accept, and ends.
 * @param name `127.0.0.1:3000`, or `:3000` for every address
 * @throws Error with the reason
 */
export async function bindSocket(name: string): Promise<HeldSocket> {
  const { main, nodeArgs } = programOf("listener");
  const child = fork(main, [name], { execArgv: [...nodeArgs], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  return await new Promise<HeldSocket>((resolve, reject) => {
    let passed: HeldSocket | null = null;
    child.once("message", (message, carried) => {
      if (isHeldSocket(carried)) passed = carried;
      else reject(new Error(String((message as { readonly problem?: unknown }).problem)));
    });
    child.once("error", reject);
    // Not before that: as long as the child is there, the socket is open in it, too.
    child.once("close", (code) => (passed === null ? reject(new Error(`${name} could not be opened (${code})`)) : resolve(passed)));
  });
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:3000` to its parts; the host of `:3000` is empty. */
export function addressOfSocket(name: string): Address {
  const at = name.lastIndexOf(":");
  return { host: name.slice(0, at), port: Number(name.slice(at + 1)) };
}
