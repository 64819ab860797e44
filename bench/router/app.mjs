// The least that an app can be: what is measured is the way to it.
import http from "node:http";

const server = http.createServer((_request, response) => {
  response.setHeader("content-length", "2");
  response.end("ok");
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
