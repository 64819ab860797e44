import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { guardAgainstLeaks, startProcess } from "@midflight/testkit";
import { Connections } from "../../overhead/request-blocks.ts";
import { startRollingClients, type Served } from "../clients.ts";
import { openProject } from "../project.ts";

const harms = ["failed", "doubled", "missing", "reconnects", "failedUploads", "cutStreams", "cutSockets"] as const;
type Harm = (typeof harms)[number];

/** An edit of the app that does harm, and how the clients see it. */
const edits: readonly (readonly [what: string, from: string, to: string, seen: readonly Harm[]])[] = [
  ["a sound app", "tickMs = 250", "tickMs = 100", []],
  ["an answer that is wrong", "answer(response, 200, offers())", "answer(response, 503, null)", ["failed"]],
  ["an id that is written down twice", "`${id}\\n`", "`${id}\\n${id}\\n`", ["doubled"]],
  ["an id that is promised and not written down", "await appendFile", "void", ["missing"]],
  ["a connection that is closed with an answer", '{ "content-type": "application/json",', '{ "content-type": "application/json", connection: status === 201 ? "close" : "keep-alive",', ["reconnects"]],
  ["an upload that is dropped", 'await once(request, "end")', "if (request.url.includes('upload')) return response.destroy()", ["failedUploads"]],
  ["a stream that is cut", "let id = 0;", "setTimeout(() => response.destroy(), 500); let id = 0;", ["cutStreams"]],
  ["a stream that is told to come again", "let id = 0;", 'setTimeout(() => response.end("retry: 100\\n"), 500); let id = 0;', []],
  ["a WebSocket that is cut", "socket.send(data)", "socket.terminate()", ["cutSockets"]],
  ["a WebSocket that is told to come again", "socket.send(data)", "socket.close(1012)", []],
];

describe("the clients of a roll", () => {
  guardAgainstLeaks();

  for (const [what, from, to, seen] of edits) {
    test(`see of ${what}: ${seen.length === 0 ? "no harm" : seen.join(", ")}`, async () => {
      const served = await ask(from, to);
      assert.deepEqual(harms.filter((harm) => served[harm] > 0), seen, JSON.stringify(served));
      assert.ok(served.items > 0 || what.includes("not written"), "ids were written down");
      if (what.startsWith("a stream")) assert.ok(served.endedStreams > 0);
      if (what.startsWith("a WebSocket")) assert.ok(served.endedSockets > 0);
    });
  }
});

/** The app with an edit, by itself, asked for a second and a half. */
async function ask(from: string, to: string): Promise<Served> {
  const project = await openProject(1);
  try {
    const file = path.join(project.directory, "dist/server.js");
    const text = readFileSync(file, "utf8");
    assert.ok(text.includes(from), `the app has no ${from}`);
    writeFileSync(file, text.replace(from, () => to));
    const app = await startProcess({ command: process.execPath, args: [file], cwd: project.directory, env: { PORT: project.url.port } });
    try {
      (await Connections.open(project.url, 1)).close();
      const clients = startRollingClients(project, 200);
      await delay(1500);
      return await clients.stop();
    } finally {
      await app.killGroup();
    }
  } finally {
    project.remove();
  }
}
