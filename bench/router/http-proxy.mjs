// What most people would put before an app in Node.
import http from "node:http";
import httpProxy from "http-proxy";

const proxy = httpProxy.createProxyServer({ target: process.env.TARGET, agent: new http.Agent({ keepAlive: true }) });
const server = http.createServer((request, response) => proxy.web(request, response));
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), "127.0.0.1");
