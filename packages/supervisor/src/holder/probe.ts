import http from "node:http";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import type { ProbeRequest } from "./words.ts";

/**
 * Asks one process a question over a connection that is handed to it. Its siblings listen on the same socket, so by the
 * port anybody could answer.
 */
export async function probe({ path, isSecure, timeoutMs }: Pick<ProbeRequest, "path" | "isSecure" | "timeoutMs">, handOver: (connection: Socket) => void): Promise<{ readonly status: number; readonly body: string }> {
  const [near, far] = await connectPair();
  handOver(far);
  return await new Promise((resolve, reject) => {
    // Whose certificate it is does not matter: it is known who is asked.
    const agent = Object.assign(new http.Agent(), { createConnection: () => (isSecure ? tls.connect({ socket: near, rejectUnauthorized: false }) : near) });
    const request = http.request({ path, agent, headers: { host: "localhost", connection: "close" } });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      near.destroy();
      reject(error);
    };
    request.once("error", fail);
    request.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body = (body + text).slice(0, 8192)));
      response.once("error", fail);
      response.once("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    request.end();
  });
}

/** Two ends of one TCP connection on loopback; the far one is never read here. */
function connectPair(): Promise<readonly [Socket, Socket]> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true });
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const near = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
      near.once("error", reject);
      server.on("connection", (far) => {
        // Another program may have been faster to find the port.
        if (far.remotePort !== near.localPort) {
          far.destroy();
          return;
        }
        server.close();
        // It belongs to nobody here: for one of a server, Node would count along in both processes.
        Object.assign(far, { server: null });
        resolve([near, far]);
      });
    });
  });
}
