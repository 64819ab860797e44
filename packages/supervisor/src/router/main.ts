import fs from "node:fs";
import net from "node:net";
import { readLines } from "../read-lines.ts";
import { Router } from "./router.ts";
import { readRouteState } from "./route-state.ts";
import { parseRouterRequest, type RouterAnswer } from "./words.ts";

// `node main.ts CONTROL STATE SOCKETS`: routes what comes in on the sockets of these names (JSON), as the table in the state file says until
// another one comes over the Unix socket CONTROL, which only its user can open. Listening, taking over and draining are the agent's.
const [control, stateFile, socketNames] = process.argv.slice(2) as [string, string, string];
const router = new Router(readRouteState(stateFile)!.table);

fs.rmSync(control, { force: true });
const umask = process.umask(0o077);
net.createServer((socket) => {
  socket.on("error", () => undefined);
  const tell = (answer: RouterAnswer): void => void socket.write(`${JSON.stringify(answer)}\n`);
  readLines(socket, (line) => {
    try {
      const request = parseRouterRequest(JSON.parse(line));
      if (request.kind === "count") return tell({ kind: "counted", id: request.id, counts: router.counts });
      if (request.kind === "route") router.route(request.table);
      else return void router.settled(request.side).then(() => tell({ kind: "done", id: request.id }));
      return tell({ kind: "done", id: request.id });
    } catch {
      // Whoever that is, what is routed goes on.
      socket.destroy();
    }
  });
}).listen(control);
process.umask(umask);

for (const name of JSON.parse(socketNames) as string[]) {
  const at = name.lastIndexOf(":");
  const host = name.slice(0, at);
  // The name says what the app asked for, so the same is asked for here, and the socket that was given is found by it.
  if (host === "") router.serve(name).listen(Number(name.slice(at + 1)));
  else router.serve(name).listen(Number(name.slice(at + 1)), host);
}
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => process.exit(0));
