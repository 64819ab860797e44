import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { text } from "node:stream/consumers";
import type { DrainedWord } from "@midflight/protocol";
import { openHolder } from "../../src/holder/connect-holder.ts";
import { holderAddress } from "../../src/holder/holder-address.ts";

describe("the process that holds the sockets goes on", { timeout: 120_000 }, () => {
  /** Sends a server where a connection is announced, and then a word that is heard. */
  const sender = `
    const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
      process.send({ midflight: { kind: "connection", socket: ":1" } }, server, () => {
        server.close();
        process.send({ midflight: { kind: "drained", isSafeToStop: true, tookMs: 1, handedOver: 0, left: 0 } });
      });
    });
    process.on("message", () => undefined);`;

  test("whatever its processes and those who connect to it send", async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), "midflight-holder-"));
    const paths = { root, log: (name: string) => path.join(root, `${name}.log`) };
    const holder = await openHolder(paths);
    const held = await holder.launch({ target: "web-1", file: process.execPath, directory: root, logPath: paths.log("app"), group: "web", passing: "line", args: ["-e", sender], env: { ...process.env } });
    const exited = await (async () => {
      try {
        const lost = held.lost.then(() => assert.fail("the holder was lost"));
        await Promise.race([held.hear((word): word is DrainedWord => word.kind === "drained"), lost]);
        lost.catch(() => undefined);

        const stranger = net.connect(holderAddress(root));
        stranger.write("no JSON\n");
        await text(stranger);
        const again = await openHolder(paths);
        const found = again.find(held.pid);
        assert.notEqual(found, null, "it still has its process");
        return { again, exited: found!.exited };
      } finally {
        process.kill(held.pid, "SIGKILL");
      }
    })();
    await exited.exited;
    exited.again.close();
    holder.close();
    rmSync(root, { recursive: true, force: true });
  });
});
