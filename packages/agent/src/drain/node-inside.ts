import { ServerResponse } from "node:http";
import net, { type Server, type Socket } from "node:net";

// What Node keeps to itself and a hand-over needs, all in one place. It is the same from 20 to 26; the tests run on each.

export interface ListenHandle {
  listen(backlog: number): number;
}

/** The handle of a server that listens; null if it does not. */
export function handleOf(server: Server): ListenHandle | null {
  return (Reflect.get(server, "_handle") as ListenHandle | null | undefined) ?? null;
}

/** A server's handle of a descriptor, as Node makes it; `listen({ fd })` is the same, but accepts at once. */
export function openListenHandle(fd: number): ListenHandle | null {
  const create = Reflect.get(net, "_createServerHandle") as ((address: null, port: null, type: null, fd: number) => unknown) | undefined;
  const handle = create?.(null, null, null, fd);
  return typeof handle === "object" && handle !== null ? (handle as ListenHandle) : null;
}

/** The answer that a connection of an HTTP server waits for. */
export function answerOf(socket: Socket): ServerResponse | null {
  const answer: unknown = Reflect.get(socket, "_httpMessage");
  return answer instanceof ServerResponse ? answer : null;
}

/** False once a connection was upgraded: then it is not HTTP any more. */
export function hasParser(socket: Socket): boolean {
  return (Reflect.get(socket, "parser") ?? null) !== null;
}

export function serverOf(socket: Socket): unknown {
  return Reflect.get(socket, "server");
}

/** What comes from now on stays in the kernel. */
export function stopReading(socket: Socket): void {
  (Reflect.get(socket, "_handle") as { readStop?(): number } | null)?.readStop?.();
}

/**
 * A server counts its connections, to know when it has closed. For a socket that belongs to a server Node would ask the
 * process that gets it, too, and whoever ends the rest of it must not count it again.
 */
export function leaveServer(socket: Socket): void {
  const server = serverOf(socket);
  if (typeof server === "object" && server !== null) count(server, -1);
  Object.assign(socket, { server: null, _server: null });
}

export function enterServer(socket: Socket, server: Server): void {
  if (count(server, 1)) Object.assign(socket, { server, _server: server });
}

/** A server that does not listen is closed when its last connection ends; one that is kept open counts one more. */
export function keepOpen(server: Server, isKept: boolean): void {
  count(server, isKept ? 1 : -1);
}

function count(server: object, by: number): boolean {
  const connections: unknown = Reflect.get(server, "_connections");
  return typeof connections === "number" && Reflect.set(server, "_connections", connections + by);
}
