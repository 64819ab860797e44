import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A bare connection to a server, to say what no client would. */
export async function openRaw(t: TestContext, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** All that the server says until it ends the connection, or until `until` is in it. */
export async function readRaw(socket: Socket, until?: string): Promise<string> {
  let text = "";
  const deadline = AbortSignal.timeout(60_000);
  const give = (): void => void socket.destroy(new Error(`timed out after ${JSON.stringify(text.slice(0, 300))}`));
  deadline.addEventListener("abort", give);
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      text += chunk.toString("latin1");
      if (until !== undefined && text.includes(until)) break;
    }
  } catch (cause) {
    if (deadline.aborted) throw cause; // a reset ends the reading like any other end
  } finally {
    deadline.removeEventListener("abort", give);
  }
  return text;
}
