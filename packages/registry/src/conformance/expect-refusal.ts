import assert from "node:assert/strict";
import { isMidflightError, type ErrorCode } from "@midflight/protocol";

/** The call must reject with a MidflightError of this code. */
export async function expectRefusal(code: ErrorCode, run: () => Promise<unknown>): Promise<void> {
  await assert.rejects(run, (error: unknown) => {
    assert.ok(isMidflightError(error), String(error));
    assert.equal(error.code, code);
    return true;
  });
}
