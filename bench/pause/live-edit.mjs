// What V8's LiveEdit does to the event loop for the same changes in the same app, at the same heap: no agent, plain
// sources. Arguments: revisions per round as JSON lists of files, {"rounds":[{"count":1,"files":[[file,text],…]},…]} on stdin.
import { Session } from "node:inspector";
import { pathToFileURL } from "node:url";

const scripts = new Map();
const session = new Session();
session.connect();
session.on("Debugger.scriptParsed", ({ params }) => scripts.set(params.url, params.scriptId));
await import(pathToFileURL(process.argv[2]).href);
session.post("Debugger.enable");

let input = "";
for await (const chunk of process.stdin) input += chunk;
const results = JSON.parse(input).map(({ count, files }) => {
  const startedMs = performance.now();
  const statuses = new Set();
  for (const [file, scriptSource] of files) {
    session.post("Debugger.setScriptSource", { scriptId: scripts.get(pathToFileURL(file).href), scriptSource }, (error, result) => statuses.add(error?.message ?? result.status ?? "Ok"));
  }
  return { count, blockMs: performance.now() - startedMs, statuses: [...statuses] };
});
process.stdout.write(`${JSON.stringify({ event: "live-edit", results, heapMb: process.memoryUsage().heapUsed / 1e6 })}\n`);
process.exit(0);
