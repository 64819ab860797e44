import { createServer } from "node:net";

/** The first of `count` ports in a row, at or after `first`, that are all free on loopback now. */
export async function findFreePorts(first: number, count: number): Promise<number> {
  for (let port = first; port + count <= 65_536; port += 1) {
    const taken = await firstTaken(port, count);
    if (taken === null) return port;
    port = taken;
  }
  throw new Error(`no ${count} ports in a row are free from ${first} on`);
}

async function firstTaken(port: number, count: number): Promise<number | null> {
  for (let one = port; one < port + count; one += 1) if (!(await isFree(one))) return one;
  return null;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
