import fs from "node:fs";
import net, { type Socket } from "node:net";
import { readLines } from "../read-lines.ts";
import { Holder } from "./holder.ts";
import type { HolderAnswer, HolderRequest } from "./words.ts";

// `node main.ts PATH`: serves one supervisor at a time on a socket that only its user can open. Ends when nobody needs it.
const at = process.argv[2]!;
/** A supervisor that is not there after this long will not come, if there is nothing to hold. */
const patienceMs = 10_000;

let supervisor: Socket | null = null;
const holder = new Holder((answer: HolderAnswer) => {
  supervisor?.write(`${JSON.stringify(answer)}\n`);
  if (answer.kind === "exited") endIfIdle();
});

const server = net.createServer((socket) => {
  supervisor?.destroy();
  supervisor = socket;
  socket.on("error", () => undefined);
  readLines(socket, (line) => {
    try {
      holder.handle(JSON.parse(line) as HolderRequest);
    } catch {
      // Whoever that is, what is held stays held for the next one.
      socket.destroy();
    }
  });
  socket.once("close", () => {
    if (supervisor === socket) supervisor = null;
    endIfIdle();
  });
  socket.write(`${JSON.stringify(holder.hello())}\n`);
});
const umask = process.umask(0o077);
server.listen(at);
process.umask(umask);
setTimeout(endIfIdle, patienceMs);
// A terminal's Ctrl-C and a hang-up are for the one who decides.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

function endIfIdle(): void {
  if (supervisor !== null || !holder.isIdle) return;
  fs.rmSync(at, { force: true });
  process.exit(0);
}
