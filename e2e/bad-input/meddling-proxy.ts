import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface Meddling {
  /** Changes a request's body on its way. */
  readonly body?: (path: string, bytes: Buffer) => Buffer;
  /** An answer in the registry's place; null: the registry answers. */
  readonly answer?: (path: string) => { readonly status: number; readonly json: unknown } | null;
  /** Called before a request is passed on, and after it was answered but before the caller hears of it. */
  readonly at?: (path: string, moment: "before" | "after") => Promise<void> | void;
}

/** Stands between a command and the registry, and does to their talk what networks and machines do. */
export async function openProxy(target: string, meddling: Meddling): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing).catch(() => outgoing.destroy());
  });

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? "/";
    const received = await readAll(incoming);
    const bytes = meddling.body?.(path, received) ?? received;
    const own = meddling.answer?.(path) ?? null;
    if (own !== null) return void outgoing.writeHead(own.status, { "content-type": "application/json" }).end(JSON.stringify(own.json));
    await meddling.at?.(path, "before");
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const passed = request(new URL(path, target), { method: incoming.method, headers: { ...incoming.headers, "content-length": bytes.length }, agent: false });
      passed.on("response", resolve).on("error", reject).end(bytes);
    });
    const body = await readAll(answer);
    await meddling.at?.(path, "after");
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
