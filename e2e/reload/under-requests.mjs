// A reload and the requests that are under way: none sees the module change under it.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import http from "node:http";
import { text } from "node:stream/consumers";
import { boot } from "./live.mjs";
import { promises } from "./promises.mjs";

const promise = (name, want, act) => promises.push({ name, want, act });

const app = (version) => `
const pool = { version: "${version}", isOpen: true };
export async function handle(request, response) {
  const before = pool;
  if (request.url === "/slow") await globalThis.gate;
  if (request.url === "/stream") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: " + pool.version + "\\n\\n");
    return;
  }
  response.end(before === pool && pool.isOpen ? pool.version : "mixed");
}
import.meta.hot?.dispose(() => { pool.isOpen = false; });
import.meta.hot?.accept();
`;

async function serve(directory, options) {
  const live = await boot(directory, { "m.mjs": app("a") }, options);
  const server = http.createServer((request, response) => void live.m.handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const ask = (path) => new Promise((resolve, reject) => http.get({ port, path, host: "127.0.0.1", agent: false }, (response) => resolve(text(response))).on("error", reject));
  const stop = () => {
    live.end();
    server.close();
    server.closeAllConnections();
  };
  return { live, ask, stop, port };
}
const gate = () => {
  let open;
  globalThis.gate = new Promise((resolve) => (open = resolve));
  return open;
};
const arrived = async (server, count) => {
  while (server() < count) await new Promise((resolve) => setTimeout(resolve, 5));
};

promise("a request under way ends on the code and the state that it began with; the reload waits for it", ["a", "reload", "b"], async (directory) => {
  const { live, ask, stop } = await serve(directory, {});
  const open = gate();
  const slow = ask("/slow");
  await ask("/");
  const swapped = live.swap({ "m.mjs": app("b") });
  await new Promise((resolve) => setTimeout(resolve, 30));
  open();
  const got = [await slow, await swapped, await ask("/")];
  stop();
  return got;
});
promise("requests that come while the last ones end are held back, and answered by the new code", ["a", "reload", ["b", "b", "b"]], async (directory) => {
  const { live, ask, stop } = await serve(directory, {});
  const open = gate();
  const slow = ask("/slow");
  await ask("/");
  let onDrain;
  const holding = new Promise((resolve) => (onDrain = resolve));
  const swapped = live.swap({ "m.mjs": app("b") }, onDrain);
  await Promise.race([holding, swapped]);
  let came = 0;
  const count = () => came++;
  subscribe("http.server.request.start", count);
  const held = [ask("/"), ask("/"), ask("/")];
  await arrived(() => came, 3);
  unsubscribe("http.server.request.start", count);
  open();
  const got = [await slow, await swapped, await Promise.all(held)];
  stop();
  return got;
});
promise("a request that does not end refuses the reload; all others are answered", ["SWAP_TIMED_OUT: requests were under way still after new ones had been held for 50 ms", "a", "a", "reload", "b"], async (directory) => {
  const { live, ask, stop } = await serve(directory, { requests: { holdMs: 50 } });
  const open = gate();
  const slow = ask("/slow");
  await ask("/");
  const got = [await live.swap({ "m.mjs": app("b") }), await ask("/")];
  open();
  got.push(await slow, await live.swap({ "m.mjs": app("b") }), await ask("/"));
  stop();
  return got;
});
promise("under the policy to replace stragglers it says that the process needs to be replaced", "REQUESTS_OVERDUE: requests were under way still after new ones had been held for 50 ms", async (directory) => {
  const { live, ask, stop } = await serve(directory, { requests: { holdMs: 50, straggler: "replace" } });
  const open = gate();
  const slow = ask("/slow");
  await ask("/");
  const got = await live.swap({ "m.mjs": app("b") });
  open();
  await slow;
  stop();
  return got;
});
promise("work that begins between the wait and the swap refuses the reload", "SWAP_TIMED_OUT: a request began before a top level could run again", async (directory) => {
  const { live, stop } = await serve(directory, {});
  const staged = await live.stage({ "m.mjs": app("b") });
  await live.runtime.drain(staged);
  const open = gate();
  const work = live.runtime.run(() => globalThis.gate);
  const { code, reason } = live.runtime.commit(staged);
  open();
  await work;
  stop();
  return `${code}: ${reason}`;
});
promise("the way back does not wait for requests", "committed", async (directory) => {
  const { live, ask, stop } = await serve(directory, {});
  await live.swap({ "m.mjs": app("b") });
  const open = gate();
  const slow = ask("/slow");
  await ask("/");
  live.runtime.giveUpOld();
  const staged = await live.stage({});
  const { kind } = live.runtime.commit(staged, true);
  open();
  await slow;
  stop();
  return kind;
});
promise("an event stream does not hold a reload up", ["reload", "b"], async (directory) => {
  const { live, ask, stop, port } = await serve(directory, {});
  const [response] = await once(http.get({ port, path: "/stream", host: "127.0.0.1", agent: false }).on("error", () => undefined), "response");
  response.on("error", () => undefined).resume();
  const got = [await live.swap({ "m.mjs": app("b") }), await ask("/")];
  stop();
  return got;
});
promise("no request is mixed, lost or failed while one reload follows another under load", [0, 0, true], async (directory) => {
  const { live, ask, stop } = await serve(directory, {});
  globalThis.gate = Promise.resolve();
  const load = { isOver: false };
  let [failed, mixed, answered] = [0, 0, 0];
  const client = async () => {
    while (!load.isOver) {
      try {
        const answer = await ask("/slow");
        answered++;
        if (answer !== "a" && answer !== "b") mixed++;
      } catch {
        failed++;
      }
    }
  };
  const clients = Array.from({ length: 8 }, client);
  const said = new Set();
  for (let i = 0; i < 20; i++) {
    const before = answered;
    said.add(await live.swap({ "m.mjs": app(i % 2 === 0 ? "b" : "a") }));
    await arrived(() => answered, before + 10);
  }
  load.isOver = true;
  await Promise.all(clients);
  stop();
  return [failed, mixed, answered >= 200 && [...said].join() === "reload" ? true : [...said]];
});
