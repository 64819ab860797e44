import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const root = new URL("../../../", import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");

/** The union is a type and leaves nothing at run time, so its source is read. */
async function readCodes(): Promise<string[]> {
  const source = await read("packages/protocol/src/error.ts");
  const union = /export type ErrorCode =([^;]+);/.exec(source)?.[1];
  assert.ok(union !== undefined, "error.ts declares ErrorCode");
  return [...union.matchAll(/"([A-Z][A-Z0-9_]*)"/g)].map((match) => match[1]!);
}

async function readSections(): Promise<{ code: string; body: string }[]> {
  const [, ...sections] = (await read("docs/errors.md")).split(/^## /m);
  return sections.map((section) => {
    const end = section.indexOf("\n");
    return { code: section.slice(0, end), body: section.slice(end + 1).trim() };
  });
}

test("docs/errors.md has a section for every error code, and none for a code that does not exist", async () => {
  const codes = await readCodes();
  assert.ok(codes.length > 40);
  assert.deepEqual((await readSections()).map((section) => section.code), codes);
});

test("error codes are in alphabetical order, each once", async () => {
  const codes = await readCodes();
  assert.deepEqual(codes, [...new Set(codes)].sort());
});

test("every section says what, why, state and do, in one line each", async () => {
  for (const { code, body } of await readSections()) {
    assert.match(body, /^- \*\*What\*\* \S.*\n- \*\*Why\*\* \S.*\n- \*\*State\*\* \S.*\n- \*\*Do\*\* \S.*$/, code);
  }
});
