import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeClientFrame, encodeServerFrame, maxFrameLength, maxMessageBytes, parseClientFrame, parseServerFrame, type ClientFrame, type ServerFrame } from "../src/frames.ts";

const id = "0123456789abcdef";

test("each frame is read as it was written", () => {
  const fromClient: ClientFrame[] = [{ kind: "hello", id, from: 1 }, { kind: "message", n: 7, data: "\u0000€\n" }];
  const fromServer: ServerFrame[] = [{ kind: "welcome", last: 0, isFresh: true }, { kind: "acknowledge", n: 3 }, { kind: "message", data: "" }];
  for (const frame of fromClient) assert.deepEqual(parseClientFrame(encodeClientFrame(frame)), frame);
  for (const frame of fromServer) assert.deepEqual(parseServerFrame(encodeServerFrame(frame)), frame);
});

test("the largest message fits into a frame, however JSON writes it", () => {
  const text = encodeClientFrame({ kind: "message", n: Number.MAX_SAFE_INTEGER, data: "\u0000".repeat(maxMessageBytes) });
  assert.ok(text.length <= maxFrameLength, String(text.length));
  assert.notEqual(parseClientFrame(text), null);
  assert.equal(parseClientFrame(JSON.stringify({ n: 1, data: "x".repeat(maxFrameLength) })), null);
});

test("what is no frame is none, and an unknown key is ignored", () => {
  const bad = [
    "", "{", "null", "7", "[]", "{}", '{"n":0,"data":""}', '{"n":1.5,"data":""}', '{"n":"1","data":""}', '{"n":1,"data":7}', '{"n":1}',
    `{"hello":2,"id":"${id}","from":1}`, `{"hello":1,"id":"${id}","from":0}`, '{"hello":1,"id":"short","from":1}', `{"hello":1,"id":"${"x".repeat(65)}","from":1}`,
  ];
  for (const text of bad) assert.equal(parseClientFrame(text), null, text);
  for (const text of ['{"welcome":2,"last":0,"isFresh":true}', '{"welcome":1,"last":-1,"isFresh":true}', '{"welcome":1,"last":0}', '{"ack":0}', '{"ack":"1"}', '{"data":1}', "{}"]) assert.equal(parseServerFrame(text), null, text);
  assert.deepEqual(parseServerFrame('{"ack":1,"later":true}'), { kind: "acknowledge", n: 1 });
});
