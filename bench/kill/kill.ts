import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { repositoryRoot } from "@midflight/testkit";
import { bar, type Bench, type Findings } from "../bench.ts";

/** Each round kills at every step of a deploy once: some forty times. */
const rounds = 5;
const leastKills = 200;

export const kill: Bench = {
  name: "kill",
  summary: "200 times kill -9 of publisher, registry and app at every step of a deploy: what runs is what is live",
  async run({ isQuick, say }): Promise<Findings> {
    const output = await runKills(isQuick ? 1 : rounds, say);
    const told = /(\d+) kills; (\d[\d,]*) failed of ([\d,]+)/.exec(output);
    const [kills, failed, requests] = [1, 2, 3].map((group) => Number(told?.[group]?.replaceAll(",", "") ?? Number.NaN)) as [number, number, number];
    const broken = Number(/^# fail (\d+)$/m.exec(output)?.[1] ?? Number.NaN);
    return {
      figures: { kills, requestsBesideThem: requests, failed, testsFailed: broken },
      rivals: {},
      ratios: {},
      bars: [bar("kills", kills, ">=", isQuick ? 40 : leastKills), bar("promises broken", broken, "==", 0), bar("requests that failed in the process beside them", failed, "==", 0)],
      voidBecause: null,
    };
  },
};

/** The end-to-end test of the same name, as often as asked for: what it expects is said there. */
async function runKills(times: number, say: (line: string) => void): Promise<string> {
  const child = spawn(process.execPath, ["--conditions=@midflight/source", "--test", "--test-reporter=tap", path.join(repositoryRoot, "e2e/kill.test.ts")], {
    cwd: repositoryRoot,
    env: { ...process.env, NODE_OPTIONS: "", MIDFLIGHT_KILL_ROUNDS: String(times) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    for (const line of chunk.toString().split("\n")) if (/^\s+(?:not )?ok /.test(line)) say(line.trim());
  });
  await once(child, "close");
  return output;
}
