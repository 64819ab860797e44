// Loaded into a measured app: answers each connection with the CPU time that the process has used, in microseconds.
import { createServer } from "node:net";

const server = createServer((socket) => {
  const { user, system } = process.cpuUsage();
  socket.end(String(user + system));
});
server.listen(0, "127.0.0.1", () => console.log(`meter ${server.address().port}`));
server.unref();
