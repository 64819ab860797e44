import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parseConfig } from "@midflight/control/config";
import { renderUnits } from "../src/init/systemd-units.ts";

const golden = (name: string): string => readFileSync(new URL(`fixtures/systemd/${name}`, import.meta.url), "utf8");
const options = { node: "/usr/bin/node", program: "/srv/shop/node_modules/midflight/dist/main.js", user: "shop" };
const parse = (services: object, projectDir = "/srv/shop"): ReturnType<typeof parseConfig> => parseConfig({ services }, { projectDir, file: "midflight.config.ts", packageName: "shop" });
const web = { run: "node dist/server.js", code: "dist" };

describe("unit files for systemd", () => {
  test("are a service and the sockets that the configuration names", () => {
    const units = renderUnits(parse({ web: { ...web, listen: [80, "127.0.0.1:3000"], stopTimeoutMs: 20_000 }, admin: { ...web, listen: ["[::1]:3001"] } }), options);
    assert.deepEqual([...units.keys()], ["midflight-shop.service", "midflight-shop.socket"]);
    for (const [name, text] of units) assert.equal(text, golden(name));
  });

  test("are a service alone where the app opens its own port, and name what systemd would take for something else as it is", () => {
    const units = renderUnits(parse({ web }, "/srv/100% shop"), { ...options, program: "/srv/100% shop/$main.js" });
    assert.deepEqual([...units.keys()], ["midflight-shop.service"]);
    const text = units.get("midflight-shop.service")!;
    assert.match(text, /^WorkingDirectory=\/srv\/100%% shop$/m);
    assert.match(text, /^ExecStart=\/usr\/bin\/node "\/srv\/100%% shop\/\$\$main\.js" up$/m);
    assert.doesNotMatch(text, /socket/);
  });
});
