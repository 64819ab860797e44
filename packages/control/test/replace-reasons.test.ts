import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransitionStatement, type Cursor, type Registry, type ReleaseId, type Rung } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { createTrustRoot, generateSigningKey, signStatement } from "@midflight/trust";
import { createReplaceReasons } from "../src/replace-reasons.ts";

const channel = "demo/development";
const r1: ReleaseId = `sha256:${"1".repeat(64)}`;
const r2: ReleaseId = `sha256:${"2".repeat(64)}`;
const key = generateSigningKey();
const root = createTrustRoot("demo", [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);

test("a way is read again only when the log has grown, and a new way is found then", async () => {
  const registry = openMemoryRegistry();
  let asked = 0;
  const counted: Pick<Registry, "transition"> = { transition: (from, to) => ((asked += 1), registry.transition(from, to)) };
  const reasonFor = createReplaceReasons(counted, root);
  const plan = async (rung: Rung, by = key): Promise<Cursor> => {
    const verdicts = rung === "replace" ? [{ unit: "src/a.js", rung, reason: "a side effect changed", evidence: [], rejected: [] }] : [];
    const statement = createTransitionStatement({ from: r1, to: r2, instrumentation: by === key ? 1 : 2, rung, verdicts, units: [], added: [] });
    const result = await registry.append({ channel, expect: null, entries: [{ kind: "transition", ...signStatement(statement, by), from: r1, to: r2 }], needs: [] });
    return result.kind === "appended" ? result.cursor : assert.fail(result.kind);
  };
  const start: Cursor = { epoch: "e", seq: 0 };
  for (let i = 0; i < 3; i++) assert.equal(await reasonFor(r1, r2, start), null);
  assert.equal(asked, 3, "what is not there yet is looked for each time");
  const gentle = await plan("patch");
  for (let i = 0; i < 5; i++) assert.equal(await reasonFor(r1, r2, gentle), null);
  assert.equal(asked, 4);
  const harsh = await plan("replace");
  for (let i = 0; i < 5; i++) assert.equal(await reasonFor(r1, r2, harsh), "src/a.js: a side effect changed");
  assert.equal(asked, 5);
  for (let i = 0; i < 2; i++) await reasonFor(r1, r2, null);
  assert.equal(asked, 7, "as long as nothing of the log was read, nothing is taken for known");
  const forged = await plan("patch", generateSigningKey());
  await assert.rejects(reasonFor(r1, r2, forged), /KEY_UNKNOWN|key/);
});
