import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { givenSocketsVariable } from "@midflight/protocol";
import { addressOfSocket, bindSocket } from "./bind-socket.ts";
import type { HeldSocket } from "./held-sockets.ts";
import type { LaunchRequest, OwnDoor } from "./words.ts";

export interface Spawned {
  readonly process: ChildProcess;
  readonly door: OwnDoor | null;
}

/** Starts a process with the sockets that it shall have, in a group of its own: a Ctrl-C in the terminal reaches nobody but the one who is to end it. */
export async function spawnProcess(request: LaunchRequest, sockets: ReadonlyMap<string, HeldSocket>): Promise<Spawned> {
  const log = fs.openSync(request.logPath, "a", 0o640);
  try {
    switch (request.passing) {
      case "line":
        return { process: await untilStarted(spawnWithLine(request, sockets, log)), door: null };
      case "listen-fds":
        return await spawnWithListenFds(request, sockets, log);
      case "stdin":
        return await spawnOnStdin(request, sockets, log);
      case "nothing":
        return { process: await untilStarted(spawn(request.file, request.args, { cwd: request.directory, env: request.env, detached: true, stdio: ["ignore", log, log] })), door: null };
    }
  } finally {
    fs.closeSync(log);
  }
}

/** @throws Error with the reason, if the system cannot start it */
async function untilStarted(process: ChildProcess): Promise<ChildProcess> {
  const failed = new Promise<never>((_resolve, reject) => process.once("error", reject));
  // Later ones tell of signals and words that did not arrive; then the process has ended.
  failed.catch(() => undefined);
  process.on("error", () => undefined);
  return process.pid === undefined ? await failed : process;
}

function spawnWithLine({ file, args, directory, env }: LaunchRequest, sockets: ReadonlyMap<string, HeldSocket>, log: number): ChildProcess {
  const given = Object.fromEntries([...sockets.keys()].map((name, index) => [name, 4 + index]));
  return spawn(file, args, {
    cwd: directory, env: { ...env, [givenSocketsVariable]: JSON.stringify(given) }, detached: true,
    stdio: ["ignore", log, log, "ipc", ...[...sockets.values()].map(({ fd }) => fd)],
  });
}

/** Only the process itself knows its number before it runs; a shell that becomes the program says it. */
const asListenPid: readonly string[] = ["-c", 'export LISTEN_PID=$$; exec "$0" "$@"'];

/** sd_listen_fds(3): descriptors from 3 on. Names there hold no colon, so a socket goes by its port. */
async function spawnWithListenFds({ file, args, directory, env }: LaunchRequest, sockets: ReadonlyMap<string, HeldSocket>, log: number): Promise<Spawned> {
  const own = await bindSocket("127.0.0.1:0");
  try {
    const door = doorAt(own);
    const names = [...[...sockets.keys()].map((name) => String(addressOfSocket(name).port)), "midflight"];
    const process = spawn("/bin/sh", [...asListenPid, file, ...args], {
      cwd: directory, detached: true,
      env: { ...env, LISTEN_FDS: String(names.length), LISTEN_FDNAMES: names.join(":"), MIDFLIGHT_DRAIN_TOKEN: door.token },
      stdio: ["ignore", log, log, ...[...sockets.values()].map(({ fd }) => fd), own.fd],
    });
    return { process: await untilStarted(process), door };
  } finally {
    // From now on it is the process's alone: when that ends, nobody answers there.
    own.close();
  }
}

/** Only a socket that is descriptor 0 gets into a JVM; so where it is asked is a number that nobody uses, and it opens that itself. */
async function spawnOnStdin({ file, args, directory, env }: LaunchRequest, sockets: ReadonlyMap<string, HeldSocket>, log: number): Promise<Spawned> {
  const [shared] = sockets.values();
  if (shared === undefined) throw new Error("there is no socket to be passed");
  const free = await bindSocket("127.0.0.1:0");
  const door = doorAt(free);
  free.close();
  const process = spawn(file, args, {
    cwd: directory, detached: true, stdio: [shared.fd, log, log],
    env: { ...env, MIDFLIGHT_DOOR_PORT: String(door.port), MIDFLIGHT_DRAIN_TOKEN: door.token },
  });
  return { process: await untilStarted(process), door };
}

function doorAt(socket: HeldSocket): OwnDoor {
  return { port: portOf(socket), token: randomBytes(16).toString("hex") };
}

/** The system's choice. */
function portOf(socket: HeldSocket): number {
  const address: { port?: number } = {};
  (socket as HeldSocket & { getsockname(out: object): number }).getsockname(address);
  return address.port ?? 0;
}
