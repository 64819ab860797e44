import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { isMidflightError, maxJsonBytes, MidflightError, type ErrorCode, type Registry } from "@midflight/protocol";
import { openMemoryRegistry, openRegistry, serveRegistry } from "@midflight/registry";
import { createFixture } from "@midflight/registry/conformance";
import { connectRegistry } from "@midflight/registry-client";
import { serve, tokens } from "./setup.ts";

async function rejectsWith(code: ErrorCode, run: () => Promise<unknown>): Promise<MidflightError> {
  let met: MidflightError | null = null;
  await assert.rejects(run, (error: unknown) => {
    assert.ok(isMidflightError(error), String(error));
    assert.equal(error.code, code);
    met = error;
    return true;
  });
  return met ?? assert.fail();
}

/** A server that is no registry; ends with the test. */
async function impostor(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("an error of the registry reaches the caller with all its lines", async (t) => {
  const failing: Registry = {
    ...openMemoryRegistry(),
    head: async () => {
      throw new MidflightError("DISK_FULL", { what: "It is full.", why: "No space.", state: "Nothing was kept.", fix: ["Free some."], details: { bytes: 7 }, retryable: true });
    },
  };
  const { connect } = await serve(t, {}, failing);
  const error = await rejectsWith("DISK_FULL", () => connect().head("shop/development"));
  assert.deepEqual(error.facts, { what: "It is full.", why: "No space.", state: "Nothing was kept.", fix: ["Free some."], details: { bytes: 7 }, retryable: true });
});

test("a failure that is not the registry's own is told without its text", async (t) => {
  const failing: Registry = {
    ...openMemoryRegistry(),
    head: async () => {
      throw new Error("/home/ada/secret: no such key");
    },
  };
  const failures: unknown[] = [];
  const { connect } = await serve(t, { onFailure: (cause) => failures.push(cause) }, failing);
  const error = await rejectsWith("INTERNAL", () => connect().head("shop/development"));
  assert.ok(!JSON.stringify([error.message, error.facts]).includes("secret"));
  assert.match(String(failures), /secret/); // the operator is told, not the caller
});

test("a registry that is away is told so, and the token is nowhere in it", async () => {
  const client = connectRegistry({ url: "http://127.0.0.1:9", token: "my-secret-token", keepsProcessAlive: true });
  const error = await rejectsWith("REGISTRY_UNREACHABLE", () => client.head("shop/development"));
  assert.equal(error.facts.retryable, true);
  assert.ok(!JSON.stringify([error.message, error.facts, String(error.cause)]).includes("secret"));
  await client.close();
});

test("a url that is none is refused at once", () => {
  for (const url of ["", "127.0.0.1:7420", "ftp://registry", "/v1"]) {
    assert.throws(() => connectRegistry({ url, token: "x" }), (error: unknown) => isMidflightError(error) && error.code === "CONFIG_INVALID");
  }
});

test("a server that answers something else is not believed", async (t) => {
  const bodies = ["", "<html>", "7", "{}", '{"entries":[{}],"next":{"epoch":"e","seq":1}}', '{"entries":[],"next":{"epoch":"e","seq":-1}}', '{"error":{"code":"x"}}', '{"error":7}'];
  let body = "";
  let status = 200;
  const client = connectRegistry({ url: await impostor(t, (_req, res) => void res.writeHead(status).end(body)), token: "x", keepsProcessAlive: true });
  t.after(() => client.close());
  for (status of [200, 204, 301, 404, 409, 500, 502]) {
    for (body of bodies) await rejectsWith("REGISTRY_REFUSED", () => client.read("shop/development", null, 10));
  }
});

test("a server that falls silent is given up", { timeout: 60_000 }, async (t) => {
  const url = await impostor(t, (req, res) => {
    if (req.url?.startsWith("/v1/head") === true) return; // never answers
    res.writeHead(200, { "content-length": 100 }).write('{"entries":'); // never ends
  });
  const client = connectRegistry({ url, token: "x", keepsProcessAlive: true, silenceMs: 100 });
  t.after(() => client.close());
  await rejectsWith("REGISTRY_UNREACHABLE", () => client.head("shop/development"));
  await rejectsWith("REGISTRY_UNREACHABLE", () => client.read("shop/development", null, 10));
});

test("an answer without an end is given up before it fills the memory", async (t) => {
  const block = Buffer.alloc(1 << 20, " ");
  let sent = 0;
  const url = await impostor(t, (_req, res) => {
    res.writeHead(200);
    const more = (): void => {
      while (!res.destroyed && res.write(block)) sent += block.length;
      sent += block.length;
      res.once("drain", more);
    };
    more();
  });
  const client = connectRegistry({ url, token: "x", keepsProcessAlive: true });
  t.after(() => client.close());
  await rejectsWith("REGISTRY_REFUSED", () => client.head("shop/development"));
  assert.ok(sent < 2 * maxJsonBytes, `${sent}`);
});

test("a pack that is cut off is told as a broken connection, and one with wrong bytes by its digest", async (t) => {
  const f = createFixture();
  const [blob] = f.blobs("content");
  assert.ok(blob);
  let isCut = true;
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from(blob.digest.slice(7), "hex"), Buffer.from("c0ntent")]);
  const url = await impostor(t, (_req, res) => {
    res.writeHead(200, { "content-length": frame.length });
    if (!isCut) res.end(frame);
    else res.write(frame.subarray(0, 40), () => res.destroy());
  });
  const client = connectRegistry({ url, token: "x", keepsProcessAlive: true });
  t.after(() => client.close());
  await rejectsWith("REGISTRY_UNREACHABLE", () => client.getBlobs([blob.digest]));
  isCut = false;
  await rejectsWith("ARTIFACT_DIGEST_MISMATCH", () => client.getBlobs([blob.digest]));
});

test("a kept connection that the server has closed is opened again without the caller's knowing", async (t) => {
  const registry = openRegistry({ path: ":memory:" });
  t.after(() => registry.close());
  let server = await serveRegistry(registry, { port: 0, tokens });
  const client = connectRegistry({ url: server.url, token: "reader-token", keepsProcessAlive: true });
  for (let i = 0; i < 5; i++) {
    await client.head("shop/development");
    const port = Number(new URL(server.url).port);
    await server.close();
    server = await serveRegistry(registry, { port, tokens });
  }
  assert.equal(await client.head("shop/development"), null);
  await client.close();
  await server.close();
});

test("many and large blobs go up and down in several requests", async (t) => {
  const { connect } = await serve(t);
  const client = connect();
  const f = createFixture();
  const blobs = [...f.blobs(...Array.from({ length: 2_500 }, (_, i) => `unit ${i}`)), ...["a", "b", "c"].map((c) => f.blobs(c.repeat(5 << 20))[0] ?? assert.fail())];
  await client.putBlobs(blobs);
  const digests = blobs.map((b) => b.digest);
  assert.deepEqual(await client.missing(digests), []);
  const back = new Map((await client.getBlobs(digests)).map((b) => [b.digest, b.bytes]));
  for (const { digest, bytes } of blobs) assert.ok(Buffer.from(bytes).equals(back.get(digest) ?? assert.fail(digest)));
});

test("a request that no registry would take is not sent", async (t) => {
  const { connect } = await serve(t);
  const client = connect();
  const entry = createFixture().assign(`sha256:${"0".repeat(64)}`);
  const huge = { ...entry, envelope: { ...entry.envelope, payload: "A".repeat(maxJsonBytes) } };
  await rejectsWith("OBJECT_TOO_LARGE", () => client.append({ channel: "shop/development", expect: null, entries: [huge], needs: [] }));
  await rejectsWith("OBJECT_TOO_LARGE", () => client.putBlobs([{ digest: entry.id, bytes: new Uint8Array((64 << 20) + 1) }]));
});

test("retention cannot be asked for over the network", async (t) => {
  const { connect } = await serve(t);
  await rejectsWith("REGISTRY_REFUSED", () => connect().retain({ keepReleases: 1 }));
});

test("a closed client answers nothing more, and its listeners end", async (t) => {
  const { connect } = await serve(t);
  const client = connect();
  client.onPoke("shop/development", () => assert.fail("poked"));
  await client.close();
  await rejectsWith("REGISTRY_UNREACHABLE", () => client.head("shop/development"));
});
