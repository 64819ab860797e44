import type { Server, Socket } from "node:net";
import type { Connections } from "./connections.ts";
import type { Line } from "./line.ts";
import { enterServer, leaveServer, stopReading } from "./node-inside.ts";

/**
 * Gives an idle connection to the successor. Reading stops before it is sent: what the client says meanwhile waits in the
 * kernel, for the process that reads next. Node frees the parser of a socket that is sent (child_process, `send`).
 */
export async function giveAway(socket: Socket, name: string, line: Line, connections: Connections): Promise<boolean> {
  stopReading(socket);
  connections.forget(socket);
  leaveServer(socket);
  return await line.say({ kind: "connection", socket: name }, socket);
}

/** Serves a connection that was given. */
export function takeOver(socket: Socket, server: Server, connections: Connections): void {
  enterServer(socket, server);
  // As with those that an HTTP server accepts: a client may end its half first.
  socket.allowHalfOpen = true;
  connections.add(socket);
  server.emit("connection", socket);
}
