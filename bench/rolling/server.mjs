// The app that is rolled: an ordinary request, a slow one, one that writes down an id, event streams, and a WebSocket that answers.
// It ends as the guides of Node and PM2 say: on a signal it closes its server, and itself when that is done.
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocketServer } from "ws";

const slowMs = 400;
const tickMs = 250;
const articles = Array.from({ length: 1000 }, (_, i) => ({ sku: `a${i}`, cents: (i * 7919) % 5000, stock: (i * 31) % 40 }));

function priceOf({ cents, stock }) {
  return Math.round(cents * (stock > 30 ? 0.8 : 1) * 1.19);
}

function offers() {
  return articles
    .filter(({ stock }) => stock > 3)
    .map((article) => ({ sku: article.sku, price: priceOf(article) }))
    .sort((a, b) => a.price - b.price || a.sku.localeCompare(b.sku, "en"))
    .slice(0, 20);
}

function answer(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function keepItem(request, response) {
  request.resume();
  await once(request, "end");
  const id = request.url.slice("/items/".length);
  await appendFile(process.env.ITEMS ?? "items.log", `${id}\n`);
  answer(response, 201, { id });
}

function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let id = 0;
  const timer = setInterval(() => response.write(`id: ${(id += 1)}\ndata: tick\n\n`), tickMs);
  response.on("close", () => clearInterval(timer));
}

async function serve(request, response) {
  if (request.url === "/") answer(response, 200, offers());
  else if (request.url === "/slow") answer(response, 200, { sleptMs: await delay(slowMs, slowMs) });
  else if (request.method === "POST" && request.url.startsWith("/items/")) await keepItem(request, response);
  else if (request.url === "/events") stream(response);
  else if (request.url === "/about") answer(response, 200, { pid: process.pid, cpuUs: process.cpuUsage().user + process.cpuUsage().system });
  else answer(response, 404, null);
}

const server = http.createServer((request, response) => {
  serve(request, response).catch((error) => response.destroy(error));
});
new WebSocketServer({ server, path: "/socket" }).on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
const close = () => server.close(() => process.exit(0));
process.on("SIGTERM", close);
process.on("SIGINT", close);
server.listen(Number(process.env.PORT), "127.0.0.1");
