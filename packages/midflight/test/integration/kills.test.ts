import assert from "node:assert/strict";
import { after, test } from "node:test";
import { isAlive, makeProject, type Project, type Ran, type Up } from "../support/project.ts";

/** Each victim once; more by choice. */
const rounds = Number(process.env["MIDFLIGHT_KILL_ROUNDS"] ?? 4);
let project: Project | null = null;
let up: Up | null = null;
after(async () => {
  if (up?.process.isAlive === true) await up.process.stop();
  project?.remove();
});

/** Always the same sequence, so that a failure can be had again. */
function* randoms(seed: number): Generator<number, never> {
  for (let x = seed; ; ) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    yield x / 2 ** 32;
  }
}

test("whatever is killed while a deploy is under way, all ends on one release, the live one, in one process", async () => {
  project = makeProject();
  up = await project.up();
  const random = randoms(7);
  const pids = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const says = `round ${round}`;
    project.write("src/greeting.js", `export function greet() {\n  return "${says}";\n}\n`);
    const { pid } = await up.ask();
    pids.add(pid);
    const deploy = await project.start("deploy", "--json");
    await new Promise((resolve) => setTimeout(resolve, random.next().value * 700));
    const victim = ["control", "deploy", "app", "control and app"][round % 4]!;
    if (victim.includes("control")) await up.process.kill("SIGKILL");
    if (victim === "deploy") await deploy.kill("SIGKILL");
    if (victim.includes("app") && isAlive(pid)) process.kill(pid, "SIGKILL");
    await deploy.exited;
    if (!up.process.isAlive) up = await project.up();
    const last: Ran = await project.run("deploy", "--json");
    assert.equal(last.code, 0, `round ${round}, ${victim} killed: ${last.stdout}`);
    const status = await waitForHealth(project);
    assert.equal(status["health"], "healthy", `round ${round}, ${victim} killed: ${JSON.stringify(status)}`);
    const answer: { says: string; pid: number } = await up.ask();
    pids.add(answer.pid);
    assert.equal(answer.says, says, `round ${round}, ${victim} killed`);
    assert.deepEqual([...pids].filter(isAlive), [answer.pid], `round ${round}, ${victim} killed: one process, not two`);
  }
});

/** A process that was killed is being started while the deploy finds nothing to do. */
async function waitForHealth(one: Project): Promise<Record<string, unknown>> {
  const watch = await one.start("status", "--watch", "--json");
  try {
    const match = await watch.waitForLine(/^.*"health":"healthy".*$/, { timeoutMs: 60_000 });
    return JSON.parse(match[0]) as Record<string, unknown>;
  } finally {
    await watch.kill();
  }
}
