import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isMidflightError } from "@midflight/protocol";
import { parseConfig, targetsOf, type ResolvedConfig } from "../src/config.ts";
import { scopeOf } from "../src/config/app-scope.ts";
import { parseCommand, portOf, processEnvironment, withAgent } from "@midflight/supervisor";
import { nearest } from "../src/nearest.ts";

const services = { web: { run: "node src/server.js", code: "src" } };

function parse(value: unknown, packageName: string | null = "demo"): ResolvedConfig {
  return parseConfig(value, { projectDir: "/project", file: "midflight.config.ts", packageName });
}

function problemOf(value: unknown, packageName: string | null = "demo"): string {
  try {
    parse(value, packageName);
  } catch (error) {
    assert.ok(isMidflightError(error) && error.code === "CONFIG_INVALID", String(error));
    return error.facts.what;
  }
  assert.fail(`accepted ${JSON.stringify(value)}`);
}

describe("the configuration", () => {
  test("names the build's marker wherever files are read, so that it is never part of the app", () => {
    assert.equal(scopeOf(parse({ services, publish: { marker: "dist/.built" } })).marker, "dist/.built");
    assert.equal("marker" in scopeOf(parse({ services })), false);
  });

  test("has a default for everything but the services", () => {
    const config = parse({ services });
    assert.deepEqual(
      [config.app, config.channelName, config.registryPath, config.port, config.rollout.maxRung, config.publish, config.signing.key],
      ["demo", "demo/development", "/project/.midflight/registry.db", null, "reload", { marker: null, quietMs: 75 }, { kind: "file", path: "/project/.midflight/keys/development.key" }],
    );
    assert.deepEqual(config.services[0], {
      name: "web", run: "node src/server.js", code: ["src"], processes: 1, health: null, env: {}, agent: true, listen: [], listenBy: "listen-fds", drain: null, readyTimeoutMs: 30_000, stopTimeoutMs: 10_000,
      drainTimeoutMs: 30_000, replace: "hand-over",
    });
  });

  test("says what a swap means to requests under way, with bounds that have limits", () => {
    assert.deepEqual(parse({ services }).requests, { kind: "request", pinMs: 10_000, holdMs: 2_000, maxHeld: 1_000, straggler: "move-on" });
    assert.deepEqual(parse({ services, requests: { policy: "drain", holdMs: 500, maxHeld: 10, straggler: "replace" } }).requests, { kind: "drain", pinMs: 10_000, holdMs: 500, maxHeld: 10, straggler: "replace" });
    assert.match(problemOf({ services, requests: { policy: "wait" } }), /requests\.policy .*is not one of request, call, drain/);
    assert.match(problemOf({ services, requests: { straggler: "kill" } }), /requests\.straggler .*is not one of move-on, replace/);
    assert.match(problemOf({ services, requests: { holdMs: 60_001 } }), /requests\.holdMs/);
    assert.match(problemOf({ services, requests: { kind: "call" } }), /requests\.kind/);
  });

  test("has a rollout at once, or by waves that reach everybody", () => {
    const { steps, bakeMs, deadlineMs } = parse({ services }).rollout;
    assert.deepEqual([steps, bakeMs, deadlineMs], [[], 60_000, 120_000]);
    const given = parse({ services, rollout: { steps: ["1", "25%", "100%"], bake: "90s", deadline: "1.5h" } }).rollout;
    assert.deepEqual([given.steps, given.bakeMs, given.deadlineMs], [["1", "25%", "100%"], 90_000, 5_400_000]);
    assert.equal(parse({ services, rollout: { bake: "0s" } }).rollout.bakeMs, 0);
    assert.match(problemOf({ services, rollout: { steps: ["1", "50%"] } }), /rollout\.steps .*does not end with 100%/);
    for (const steps of [["0", "100%"], ["110%", "100%"], [1, "100%"], "100%", Array.from({ length: 21 }, () => "100%")]) assert.match(problemOf({ services, rollout: { steps } }), /rollout\.steps .*is not a list of at most 20 steps/);
    for (const steps of [["50%", "25%", "100%"], ["3", "50%", "2", "100%"]]) assert.match(problemOf({ services, rollout: { steps } }), /rollout\.steps .*has a step that reaches fewer than one before it/);
    for (const bake of [60, "60", "1 m", "-1s", "8d", "200h", ""]) assert.match(problemOf({ services, rollout: { bake } }), /rollout\.bake .*is not a duration/);
    assert.match(problemOf({ services, rollout: { deadline: "500ms" } }), /rollout\.deadline .*is not a duration from 1 s/);
  });

  test("is frozen to its last leaf", () => {
    const config = parse({ services });
    assert.throws(() => ((config.services[0] as { env: Record<string, string> }).env["X"] = "1"), TypeError);
    assert.throws(() => ((config.rollout as { maxRung: string }).maxRung = "replace"), TypeError);
  });

  test("refuses what it does not know, with the key's path and a guess", () => {
    assert.match(problemOf({ services, chanel: "x" }), /^chanel in midflight\.config\.ts .*Did you mean channel\?/);
    assert.match(problemOf({ services, rollout: { maxrung: "patch" } }), /^rollout\.maxrung .*Did you mean maxRung\?/);
    assert.match(problemOf({ services: { web: { ...services.web, command: "x" } } }), /^services\.web\.command /);
  });

  test("refuses values of the wrong kind", () => {
    const web = services.web;
    for (const value of [
      null, [], "x", {}, { services: {} }, { services: [] }, { services: { web: "node x" } }, { services: { web: { run: "node x" } } }, { services: { web: { code: "src" } } },
      { services: { "a/b": web } }, { services, app: "a/b" }, { services, channel: "" }, { services, port: 0 }, { services, port: "80" }, { services, registry: "nats://x" },
      { services: { web: { ...web, processes: 0 } } }, { services: { web: { ...web, processes: 1.5 } } }, { services: { web: { ...web, health: "readyz" } } },
      { services: { web: { ...web, env: { PORT: 3000 } } } }, { services: { web: { ...web, env: { MIDFLIGHT_TOKEN: "x" } } } },
      { services: { web: { ...web, code: "../elsewhere" } } }, { services: { web: { ...web, code: "/etc" } } }, { services: { web: { ...web, code: [] } } },
      { services, rollout: { maxRung: "hot" } }, { services, signing: { key: "x" } }, { services, assets: "x" }, { services, publish: { quietMs: -1 } },
    ]) problemOf(value);
    problemOf({ services }, null);
  });

  test("reads gates, and refuses those that judge nothing", () => {
    const gates = (given: unknown): unknown => parse({ services, rollout: { gates: given } }).rollout.gates;
    assert.deepEqual(gates(undefined), { errors: null, p99: null, minRequests: 100, services: null, prometheus: [], health: [] });
    const query = { url: "http://prometheus:9090", query: "up", max: 1 };
    assert.deepEqual(gates({ errors: "1%", p99: "1.3x", minRequests: 200, services: ["web"], prometheus: { ...query, token: "env:PROM" }, health: "https://shop/health" }), {
      errors: { kind: "value", value: 0.01 }, p99: { kind: "times", factor: 1.3 }, minRequests: 200, services: ["web"], prometheus: [{ ...query, tokenVariable: "PROM" }], health: ["https://shop/health"],
    });
    assert.equal((gates({ prometheus: [query, query] }) as { prometheus: unknown[] }).prometheus.length, 2);
    for (const bad of [
      null, [], "1%", { error: "1%" }, { errors: 0.01 }, { errors: ">1%" }, { errors: "250ms" }, { p99: "1%" }, { p99: "0.5x" }, { minRequests: 0 }, { services: [] }, { services: ["mail"] }, { services: "web" }, { health: "/readyz" }, { health: [""] },
      { prometheus: {} }, { prometheus: { ...query, url: "prometheus:9090" } }, { prometheus: { ...query, query: " " } }, { prometheus: { ...query, max: "1" } }, { prometheus: { ...query, max: NaN } },
      { prometheus: { ...query, token: "secret" } }, { prometheus: { ...query, min: 1 } },
    ]) problemOf({ services, rollout: { gates: bad } });
  });

  test("takes one code directory or several, however they are written", () => {
    assert.deepEqual(parse({ services: { web: { run: "node x", code: ["./src/", "lib//deep", "."] } } }).services[0]!.code, ["src", "lib/deep", "."]);
  });

  test("names its processes by service and number", () => {
    assert.deepEqual(targetsOf(parse({ services: { web: { ...services.web, processes: 3 } } }).services[0]!), ["web-1", "web-2", "web-3"]);
  });
});

describe("a run command", () => {
  test("is split at spaces, with quotes, escapes and leading variables", () => {
    assert.deepEqual(parseCommand(`NODE_ENV=production A='b c' node --title="my app" a\\ b.js ''`), { file: "node", args: ["--title=my app", "a b.js", ""], env: { NODE_ENV: "production", A: "b c" } });
    assert.throws(() => parseCommand('node "x'), /CONFIG_INVALID/);
    assert.throws(() => parseCommand("  "), /CONFIG_INVALID/);
  });

  test("gets the agent before the app: node as an argument, all else by NODE_OPTIONS", () => {
    const agent = ["--import", "file:///register.js"];
    assert.deepEqual(withAgent(parseCommand("/opt/node22/bin/node --enable-source-maps x.js"), agent, undefined).command.args, [...agent, "--enable-source-maps", "x.js"]);
    const npm = withAgent(parseCommand("npm start"), agent, "--no-warnings");
    assert.deepEqual([npm.command.args, npm.nodeOptions], [["start"], "--no-warnings --import file:///register.js"]);
  });
});

describe("a service without an agent", () => {
  const own = { run: "python3 api/server.py", code: "api", agent: false, health: "/readyz" };
  const one = (more: object): ReturnType<typeof parse>["services"][number] => parse({ services: { api: { ...own, ...more } } }).services[0]!;

  test("names its sockets as server.listen does", () => {
    assert.deepEqual(one({ listen: [3000, "127.0.0.1:3001", "[::1]:3002", "3003"] }).listen, [":3000", "127.0.0.1:3001", "::1:3002", ":3003"]);
  });

  test("is refused where nobody could say when it is ready, or what is asked could not get there", () => {
    const refused: readonly [object, RegExp][] = [
      [{ health: undefined }, /health .*is missing: a process without an agent/],
      [{ drain: "/drain" }, /drain .*needs listen/],
      [{ listen: ["localhost:3000"] }, /listen .*is not a list of ports/],
      [{ listen: [3000, ":3000"] }, /listen .*names a socket twice/],
      [{ listen: [0] }, /listen .*is not a list of ports/],
      [{ listenBy: "stdin", listen: [3000, 3001] }, /listenBy .*one socket/],
      [{ agent: true, listen: [3000] }, /listen .*needs a command that is node itself/],
      [{ agent: true, run: "node api/server.js", drain: "/drain" }, /drain .*the agent drains by itself/],
    ];
    for (const [more, problem] of refused) assert.throws(() => one(more), problem, JSON.stringify(more));
  });
});

describe("the environment of a process", () => {
  const service = parse({ services: { web: { ...services.web, processes: 2, env: { PORT: "3000", A: "own" } } } }).services[0]!;
  const agent = { registryUrl: "http://127.0.0.1:1", token: "t", channelName: "demo/development", rootPath: "/r", statePath: "/s" };

  test("holds control's variables, then the service's, then ours; none of another midflight", () => {
    const env = processEnvironment({ A: "outer", B: "outer", MIDFLIGHT_TARGET: "other", MIDFLIGHT_PROBATION_MS: "10", MIDFLIGHT_PIN_MS: "500", MIDFLIGHT_POLICY: "call", MIDFLIGHT_OWNER_PID: "1" }, service, "web-2", agent);
    assert.deepEqual([env["A"], env["B"], env["PORT"], env["MIDFLIGHT_TARGET"], env["MIDFLIGHT_PROBATION_MS"], env["MIDFLIGHT_PIN_MS"], env["MIDFLIGHT_POLICY"], env["MIDFLIGHT_OWNER_PID"]], ["own", "outer", "3001", "web-2", "10", "500", "call", undefined]);
  });

  test("gives each process of a service a port of its own", () => {
    assert.deepEqual(["web-1", "web-2"].map((target) => portOf(service, target)), [3000, 3001]);
    assert.equal(portOf({ ...service, env: { PORT: "0" } }, "web-2"), 0);
    assert.equal(portOf({ ...service, env: {} }, "web-1"), null);
    assert.equal(portOf({ ...service, listen: ["127.0.0.1:4000"] }, "web-2"), 4000, "what is shared is the same for all");
  });

  test("without an agent a process knows no registry, and has no token of it", () => {
    const env = processEnvironment({}, { ...service, agent: false }, "web-1", agent);
    assert.deepEqual(Object.keys(env).filter((name) => name.startsWith("MIDFLIGHT_")).sort(), ["MIDFLIGHT_SERVICE", "MIDFLIGHT_STATE", "MIDFLIGHT_TARGET"]);
  });
});

test("a guess is offered for a slip, and none for another word", () => {
  assert.equal(nearest("deplyo", ["deploy", "rollback"]), "deploy");
  assert.equal(nearest("--dryrun", ["--dry-run", "--directory"]), "--dry-run");
  assert.equal(nearest("zebra", ["deploy", "rollback"]), null);
});
