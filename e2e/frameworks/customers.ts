import http from "node:http";
import http2 from "node:http2";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export type Protocol = "http" | "http2" | "ws";

export interface Order {
  readonly kind: "work" | "page" | "body";
  /** How long the app takes over it, at least, in ms. */
  readonly ms: number;
}

/** Sends one order and answers what came back, whole. Rejects for anything but success. */
export interface Customers {
  send(order: Order): Promise<string>;
  totals(): Promise<{ readonly served: number; readonly mixed: number; readonly sideBySide: number; readonly seen: string }>;
  close(): Promise<void>;
}

/** Nothing in the apps takes longer than a second; a machine under load may. */
const timeoutMs = 30_000;

export async function openCustomers(protocol: Protocol, url: URL): Promise<Customers> {
  if (protocol === "http2") return openHttp2(url);
  return protocol === "ws" ? await openSockets(url) : openHttp(url);
}

function openHttp(url: URL): Customers {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const ask = (path: string, isPost: boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const sent = http.request(new URL(path, url), { agent, method: isPost ? "POST" : "GET", timeout: timeoutMs, ...(isPost && { headers: { "content-type": "application/octet-stream" } }) }, (response) => {
        text(response).then((body) => (response.statusCode === 200 ? resolve(body) : reject(new Error(`${path}: ${response.statusCode} ${body}`))), reject);
      });
      sent.on("timeout", () => sent.destroy(new Error(`${path}: no answer within ${timeoutMs} ms`)));
      sent.on("error", reject);
      if (isPost) void slowly((chunk) => sent.write(chunk), () => sent.end());
      else sent.end();
    });
  return {
    send: ({ kind, ms }) => ask(`/${kind}?ms=${ms}`, kind === "body"),
    totals: async () => JSON.parse(await ask("/totals", false)) as Awaited<ReturnType<Customers["totals"]>>,
    close: () => Promise.resolve(agent.destroy()),
  };
}

function openHttp2(url: URL): Customers {
  const session = http2.connect(url);
  const failed = new Promise<never>((_resolve, reject) => session.on("error", reject));
  failed.catch(() => undefined);
  const ask = (path: string, isPost: boolean): Promise<string> => {
    const stream = session.request({ ":path": path, ":method": isPost ? "POST" : "GET" }, { endStream: !isPost });
    const answered = new Promise<string>((resolve, reject) => {
      let status: number | undefined;
      stream.on("response", (headers) => (status = headers[":status"]));
      stream.on("error", reject);
      text(stream).then((body) => (status === 200 ? resolve(body) : reject(new Error(`${path}: ${status}`))), reject);
    });
    if (isPost) void slowly((chunk) => stream.write(chunk), () => stream.end());
    return Promise.race([answered, failed]);
  };
  return {
    send: ({ kind, ms }) => ask(`/${kind}?ms=${ms}`, kind === "body"),
    totals: async () => JSON.parse(await ask("/totals", false)) as Awaited<ReturnType<Customers["totals"]>>,
    close: () => new Promise((resolve) => session.close(() => resolve())),
  };
}

/** Messages of a few long-lived sockets; every other one becomes a job of the app's queue. */
async function openSockets(url: URL): Promise<Customers> {
  const waiting = new Map<number, { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void }>();
  const sockets = await Promise.all(Array.from({ length: 4 }, async () => {
    const socket = new WebSocket(`ws://${url.host}`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("the socket cannot be opened")));
    });
    socket.addEventListener("message", ({ data }) => {
      const { id, text } = JSON.parse(String(data)) as { id: number; text: string };
      waiting.get(id)?.resolve(text);
      waiting.delete(id);
    });
    socket.addEventListener("close", () => {
      for (const { reject } of waiting.values()) reject(new Error("a socket was closed"));
    });
    return socket;
  }));
  let sent = 0;
  return {
    send: ({ ms }) =>
      new Promise((resolve, reject) => {
        const id = ++sent;
        waiting.set(id, { resolve, reject });
        sockets[id % sockets.length]!.send(JSON.stringify({ id, ms, isJob: id % 2 === 0 }));
      }),
    totals: async () => (await (await fetch(url, { headers: { connection: "close" } })).json()) as Awaited<ReturnType<Customers["totals"]>>,
    async close() {
      await Promise.all(sockets.map((socket) => new Promise((resolve) => {
        socket.addEventListener("close", resolve);
        socket.close();
      })));
    },
  };
}

async function slowly(write: (chunk: string) => void, end: () => void): Promise<void> {
  for (let i = 0; i < 3; i++) {
    write("abc");
    await sleep(10);
  }
  end();
}
