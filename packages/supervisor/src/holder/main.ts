import fs from "node:fs";
import net, { type Socket } from "node:net";
import path from "node:path";
import { readLines } from "../read-lines.ts";
import { Holder } from "./holder.ts";
import { InheritedSockets } from "./inherited-sockets.ts";
import { openLink } from "./link.ts";
import type { HolderAnswer, HolderRequest } from "./words.ts";

// `node main.ts PATH EDITION [succeed | inherit=N]`: serves one supervisor at a time on a socket that only its user can open. Ends when nobody
// needs it. PATH is a link to the socket of the holder that supervisors are to find. `succeed`: its parent is the holder before it.
// `inherit=N`: it was started with N listening sockets, from descriptor 3 on.
const [address, edition, mode] = process.argv.slice(2) as [string, string, string?];
const inherited = new InheritedSockets(mode?.startsWith("inherit=") === true ? Number(mode.slice("inherit=".length)) : 0);
/** A supervisor that is not there after this long will not come, if there is nothing to hold. */
const patienceMs = 10_000;
const own = `${address}.${process.pid}`;

let supervisor: Socket | null = null;
const holder = new Holder({ edition, address, inherited, tell, publish, onIdle: endIfIdle });

/** Who only looks whether somebody is here, and says nothing, takes nobody's place. */
function serve(socket: Socket): void {
  if (supervisor !== socket) supervisor?.destroy();
  supervisor = socket;
}

function tell(answer: HolderAnswer): void {
  supervisor?.write(`${JSON.stringify(answer)}\n`);
}

const server = net.createServer((socket) => {
  socket.on("error", () => undefined);
  readLines(socket, (line) => {
    try {
      const request = JSON.parse(line) as HolderRequest;
      if (request.kind === "hello") serve(socket);
      if (socket === supervisor) holder.handle(request);
    } catch {
      // Whoever that is, what is held stays held for the next one.
      socket.destroy();
    }
  });
  socket.once("close", () => {
    if (supervisor === socket) supervisor = null;
    endIfIdle();
  });
});
removeAbandoned();
const umask = process.umask(0o077);
server.listen(own, () => {
  if (mode === "succeed") holder.follow(openLink(process));
  else void publishWhereNobodyIs();
});
process.umask(umask);
setTimeout(endIfIdle, patienceMs);
// A terminal's Ctrl-C and a hang-up are for the one who decides.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

/** rename(2): a supervisor that looks finds the one before or this one. */
async function publish(): Promise<void> {
  const aside = `${own}.new`;
  await fs.promises.rm(aside, { force: true });
  await fs.promises.symlink(path.basename(own), aside);
  await fs.promises.rename(aside, address);
}

/** Two supervisors may have missed one at the same time, and a holder whose successor is lost takes its place again. */
async function publishWhereNobodyIs(): Promise<void> {
  const other = net.connect(address);
  other.once("connect", () => {
    other.destroy();
    end();
  });
  other.once("error", () => void publish());
}

/** Sockets of holders that were killed. */
function removeAbandoned(): void {
  const prefix = `${path.basename(address)}.`;
  for (const name of fs.readdirSync(path.dirname(address))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : NaN;
    if (Number.isInteger(pid) && !isThere(pid)) fs.rmSync(path.join(path.dirname(address), name), { force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function endIfIdle(): void {
  if (holder.isIdle && (supervisor === null || holder.isThin)) end();
}

function end(): never {
  // The link may lead to another one by now.
  if (readLink() === path.basename(own)) fs.rmSync(address, { force: true });
  fs.rmSync(own, { force: true });
  process.exit(0);
}

function readLink(): string | null {
  try {
    return fs.readlinkSync(address);
  } catch {
    return null;
  }
}
