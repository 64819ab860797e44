import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { repositoryRoot, type StartedProcess } from "@midflight/testkit";
import { findFreePorts } from "../../scripts/tour/free-ports.ts";
import { openNewcomer, withinMs } from "./newcomer.ts";

/** Milliseconds, each since the one before. */
export interface OwnAppTimes {
  readonly clone: number;
  /** `npm run build` in the clone. */
  readonly build: number;
  /** `npm install --save-dev` of it in the project. */
  readonly install: number;
  readonly init: number;
  /** `midflight up --watch` until the app answers. */
  readonly up: number;
  /** The file is saved until a request is answered by the new code. */
  readonly saveToLive: number;
}

const firstPort = 3700;
const greeting = (word: string): string => `export function greet() {\n  return "${word}";\n}\n`;
const server = (port: number): string => `import { createServer } from "node:http";
import { greet } from "./greeting.js";

createServer((request, response) => response.end(\`\${greet()} \${process.pid}\`)).listen(${port}, "127.0.0.1");
`;

/** What the README says of an app of one's own. The app is there already, and nobody has to type. */
export async function timeOwnApp(): Promise<OwnAppTimes> {
  const newcomer = await openNewcomer();
  let up: StartedProcess | null = null;
  try {
    const port = await findFreePorts(firstPort, 1);
    const app = path.join(newcomer.folder, "app");
    await mkdir(path.join(app, "src"), { recursive: true });
    await writeFile(path.join(app, "package.json"), '{ "name": "hello", "version": "1.0.0", "private": true, "type": "module", "scripts": { "start": "node src/server.js" } }\n');
    await writeFile(path.join(app, "src/server.js"), server(port));
    await writeFile(path.join(app, "src/greeting.js"), greeting("hello"));
    const lap = stopwatch();

    await newcomer.run(".", "git", "clone", "--quiet", "--no-local", repositoryRoot, "midflight");
    const clone = lap();
    await newcomer.run("midflight", "npm", "run", "build");
    const build = lap();
    await newcomer.run("app", "npm", "install", "--save-dev", "../midflight/packages/midflight");
    const install = lap();
    await newcomer.run("app", "npx", "midflight", "init", "--yes");
    const init = lap();
    up = await newcomer.start("app", "npx", "midflight", "up", "--watch");
    await up.waitForLine(/1 of 1 process ready/, { timeoutMs: withinMs });
    const [word, pid] = (await ask(port)).split(" ");
    if (word !== "hello") throw new Error(`the app answers ${word}`);
    const started = lap();
    await writeFile(path.join(app, "src/greeting.js"), greeting("good-morning"));
    for (let answer = ""; answer !== `good-morning ${pid}`; await delay(1)) {
      answer = await ask(port);
      if (answer !== `hello ${pid}` && answer !== `good-morning ${pid}`) throw new Error(`process ${pid} was to go on, and now there is ${answer}`);
      if (performance.now() - lap.sinceMs() > withinMs) throw new Error(`the edit did not go live\n${up.stdout.lines.join("\n")}`);
    }
    const saveToLive = lap();
    return { clone, build, install, init, up: started, saveToLive };
  } finally {
    // As Ctrl-C does: to all that stands in the foreground, npx and what it runs. The app's process ends with it.
    if (up?.isAlive === true) process.kill(-up.pid, "SIGINT");
    await up?.exited;
    await newcomer.close();
  }
}

async function ask(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

/** Each call gives the time since the last. */
function stopwatch(): (() => number) & { readonly sinceMs: () => number } {
  let sinceMs = performance.now();
  const lap = (): number => {
    const now = performance.now();
    const took = now - sinceMs;
    sinceMs = now;
    return took;
  };
  return Object.assign(lap, { sinceMs: () => sinceMs });
}
