import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Registry, ReleaseId } from "@midflight/protocol";
import { keepHolder, keepProcess, openProcessTable, type Service, type SupervisorEvent } from "@midflight/supervisor";

test("while no process can be started, as with a full process table, it is tried again and again, comes up once one can, and is not ended for another", { timeout: 60_000 }, async () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-no-holder-"));
  const at = (name: string): string => path.join(root, name);
  writeFileSync(at("app.mjs"), 'import http from "node:http";\nhttp.createServer((_request, response) => response.end()).listen(process.env.PORT, "127.0.0.1", () => console.log("up"));\n');
  const layout = { root, processes: at("state/processes.json"), states: at("state"), state: at, log: (target: string) => at(`${target}.log`) };
  const service: Service = {
    name: "web", run: `${process.execPath} app.mjs`, health: "/", env: { PORT: "23917" }, agent: false, listen: [], listenBy: "listen-fds", drain: null,
    readyTimeoutMs: 20_000, stopTimeoutMs: 5000, drainTimeoutMs: 5000, replace: "restart",
  };
  const events: SupervisorEvent[] = [];
  const holding = keepHolder(layout);
  let refusals = 0;
  let refused = 3;
  const canStart = Promise.withResolvers<void>();
  const kept = keepProcess({
    target: "web-1", service, layout, channelName: "demo/development", agent: { registryUrl: "", token: "", channelName: "demo/development", rootPath: "" },
    // Whoever has no agent says nothing there.
    registry: null as unknown as Registry,
    environment: { PATH: process.env["PATH"] }, table: openProcessTable(layout),
    listen: (event) => {
      events.push(event);
      if (events.filter(({ kind }) => kind === "process-failed").length === 2) canStart.resolve();
    },
    // A process for it, and sockets to let go: both are refused.
    holder: () => (refusals < refused ? (refusals++, Promise.reject(new Error("spawn EAGAIN"))) : holding.holder()),
    bootRelease: () => Promise.resolve({ release: "r".repeat(64) as ReleaseId, number: 1, directory: root }),
    onBootFailedTwice: () => Promise.resolve(), onReplaceFailed: () => Promise.resolve(),
  }, null);
  try {
    await canStart.promise;
    for (const deadline = performance.now() + 30_000; kept.phase !== "ready" && performance.now() < deadline; ) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(kept.phase, "ready", JSON.stringify(events));
    assert.equal(refusals, 3);
    const { pid } = kept;
    refused = Infinity;
    await assert.rejects(kept.replace("another release is live"), /EAGAIN/);
    assert.deepEqual([kept.phase, kept.pid], ["ready", pid]);
    refused = 0;
    assert.equal(await kept.replace("another release is live"), "ready");
    assert.notEqual(kept.pid, pid);
  } finally {
    await kept.stop();
    await holding.close();
    rmSync(root, { recursive: true, force: true });
  }
});
