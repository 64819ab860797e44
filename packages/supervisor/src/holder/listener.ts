import net from "node:net";
import { addressOfSocket } from "./bind-socket.ts";

// `node listener.ts NAME`, with an IPC channel: listens, passes the socket on, and ends before its event loop could accept.
const { host, port } = addressOfSocket(process.argv[2]!);
const server = net.createServer();
server.once("error", (error) => process.send!({ problem: error.message }, () => process.disconnect()));
// It is told in the turn in which the address, which is no name, began to be listened on.
server.once("listening", () => {
  process.send!({}, Reflect.get(server, "_handle") as never);
  process.exit(0);
});
server.listen({ port, ...(host === "" ? {} : { host }), backlog: 511 });
