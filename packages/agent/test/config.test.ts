import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isMidflightError } from "@midflight/protocol";
import { readConfig } from "../src/config.ts";

const full = {
  MIDFLIGHT_REGISTRY: "http://127.0.0.1:1", MIDFLIGHT_TOKEN: "t", MIDFLIGHT_CHANNEL: "shop/development", MIDFLIGHT_SERVICE: "web", MIDFLIGHT_TARGET: "web-1",
  MIDFLIGHT_ROOT: "/root.json", MIDFLIGHT_STATE: "/state",
};

describe("the agent's configuration", () => {
  test("is null without a registry: the agent then does nothing", () => {
    assert.equal(readConfig({}, 1), null);
    assert.equal(readConfig({ ...full, MIDFLIGHT_REGISTRY: "" }, 1), null);
  });

  test("has defaults for its times", () => {
    const config = readConfig(full, 1);
    assert.equal(config?.bootWaitMs, 3000);
    assert.equal(config.probationMs, 5000);
    assert.equal(config.isOwner, true);
    assert.equal(readConfig({ ...full, MIDFLIGHT_PROBATION_MS: "0" }, 1)?.probationMs, 0);
  });

  test("leaves it to assigns what a swap means to requests, unless the process says it", () => {
    assert.deepEqual(readConfig(full, 1)?.requests, {});
    assert.deepEqual(readConfig({ ...full, MIDFLIGHT_POLICY: "", MIDFLIGHT_PIN_MS: "" }, 1)?.requests, {});
    assert.deepEqual(readConfig({ ...full, MIDFLIGHT_POLICY: "drain", MIDFLIGHT_PIN_MS: "7" }, 1)?.requests, { kind: "drain", pinMs: 7 });
    assert.throws(() => readConfig({ ...full, MIDFLIGHT_POLICY: "wait" }, 1), (e) => isMidflightError(e) && e.facts.details?.["variable"] === "MIDFLIGHT_POLICY");
  });

  test("knows a child by the mark that its parent left", () => {
    assert.equal(readConfig({ ...full, MIDFLIGHT_OWNER_PID: "7" }, 7)?.isOwner, true);
    assert.equal(readConfig({ ...full, MIDFLIGHT_OWNER_PID: "7" }, 8)?.isOwner, false);
  });

  for (const name of Object.keys(full).slice(1)) {
    test(`names ${name} when it is missing`, () => {
      assert.throws(() => readConfig({ ...full, [name]: undefined }, 1), (e) => isMidflightError(e) && e.code === "AGENT_NOT_CONFIGURED" && e.facts.details?.["variable"] === name);
    });
  }

  test("refuses what is not a channel or a duration", () => {
    for (const wrong of [{ MIDFLIGHT_CHANNEL: "shop" }, { MIDFLIGHT_CHANNEL: "/x" }, { MIDFLIGHT_BOOT_WAIT_MS: "soon" }, { MIDFLIGHT_PROBATION_MS: "-1" }]) {
      assert.throws(() => readConfig({ ...full, ...wrong }, 1), (e) => isMidflightError(e) && e.code === "AGENT_NOT_CONFIGURED");
    }
  });
});
