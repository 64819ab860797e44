import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A request as bytes on the wire, so that the generator costs as little as can be. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
}

/** Kept connections to one app, each with one request after the other. */
export class Connections {
  readonly #sockets: Socket[];

  private constructor(sockets: Socket[]) {
    this.#sockets = sockets;
  }

  /** Some apps say that they listen a moment before they do: tries for up to `withinMs`. */
  static async open(url: URL, count = 4, withinMs = 5000): Promise<Connections> {
    const endMs = performance.now() + withinMs;
    const open = async (): Promise<Socket> => {
      for (;;) {
        try {
          return await openSocket(url);
        } catch (error) {
          if (performance.now() > endMs) throw error;
          await delay(10);
        }
      }
    };
    return new Connections(await Promise.all(Array.from({ length: count }, open)));
  }

  /** Sends `requests` in turn until `count` were answered. Rejects for any answer that is not 2xx. */
  async send(requests: readonly RawRequest[], count: number): Promise<void> {
    const texts = requests.map(toText);
    let next = 0;
    const drive = (socket: Socket): Promise<void> =>
      new Promise((resolve, reject) => {
        let rest = "";
        const ask = (): void => {
          if (next === count) {
            socket.removeAllListeners();
            resolve();
            return;
          }
          socket.write(texts[next % texts.length]!);
          next += 1;
        };
        socket.removeAllListeners();
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("the app closed a connection")));
        socket.on("data", (chunk: Buffer) => {
          rest += chunk.toString("latin1");
          const end = endOfAnswer(rest);
          if (end === -1) return;
          if (!rest.startsWith("HTTP/1.1 2")) return reject(new Error(`the app answered ${rest.slice(0, 200)}`));
          rest = rest.slice(end);
          ask();
        });
        ask();
      });
    await Promise.all(this.#sockets.map(drive));
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.destroy();
    }
  }
}

function openSocket(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

function toText({ method = "GET", path, body }: RawRequest): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
  return body === undefined ? `${head}\r\n` : `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** -1 while it is not whole. */
function endOfAnswer(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head === -1) return -1;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) return text.length < head + 4 + Number(length) ? -1 : head + 4 + Number(length);
  const last = text.indexOf("\r\n0\r\n\r\n", head + 2);
  return last === -1 ? -1 : last + 7;
}
