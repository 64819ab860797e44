import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvents, type ServerEvent } from "../src/read-events.ts";

async function* bytesOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(chunks)) events.push(event);
  return events;
}

const stream = ":\n\nid: e:1\nevent: entry\ndata: {\"a\":\"ä€😀\"}\n\n: hb\n\nevent: sync\ndata: {}\n\n";
const expected: ServerEvent[] = [{ event: "entry", data: '{"a":"ä€😀"}' }, { event: "sync", data: "{}" }];

test("events are the same wherever the stream is cut, also inside a character", async () => {
  const whole = Buffer.from(stream);
  for (let at = 0; at <= whole.length; at++) assert.deepEqual(await read(bytesOf(whole.subarray(0, at), whole.subarray(at))), expected, `cut at ${at}`);
  assert.deepEqual(await read(bytesOf(...Array.from(whole, (byte) => Uint8Array.of(byte)))), expected);
});

test("an event that is not finished is not told", async () => {
  assert.deepEqual(await read(bytesOf(stream, "event: entry\ndata: {}\n")), expected);
});

test("a stream without an end of an event is given up before it fills the memory", async () => {
  const block = Buffer.alloc(4 << 20, "x");
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      sent += block.length;
      assert.ok(sent < 64 << 20, "it went on reading");
      yield block;
    }
  }
  await assert.rejects(read(endless()), /longer than a registry sends/);
});
