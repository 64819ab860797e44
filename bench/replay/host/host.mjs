// The process that is replayed: loads a library, keeps what it made, and runs tests inside itself when it is told to.
// It speaks lines of JSON over one socket, which stays open from the first command to the last.
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { withoutExit } from "./exit.mjs";

const setup = JSON.parse(process.env.REPLAY_SETUP);
const library = process.cwd();
const require = createRequire(path.join(library, "package.json"));
const held = new Map();
const strays = [];
let commands = 0;

const onStray = (error) => strays.push(String(error?.stack ?? error));

/** What a test throws where nobody catches it is the test's, and no end of this process. Runners that look at it themselves do so alone. */
function catchStrays(isOn) {
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.off(event, onStray);
    if (isOn) process.on(event, onStray);
  }
}
catchStrays(true);

async function load(unit) {
  const file = path.join(library, unit);
  try {
    if (setup.isEsm) await import(pathToFileURL(file).href);
    else require(file);
  } catch (error) {
    if (setup.isEsm || !["ERR_REQUIRE_ESM", "ERR_REQUIRE_ASYNC_MODULE"].includes(error.code)) throw error;
    await import(pathToFileURL(file).href);
  }
}

/** The module objects of the library that are loaded now, by unit. */
async function loaded() {
  const found = new Map();
  for (const unit of setup.units) {
    const file = path.join(library, unit);
    const cached = require.cache[file];
    if (cached?.loaded === true) found.set(unit, cached.exports);
  }
  if (setup.isEsm && existsSync(path.join(library, setup.entry))) found.set(setup.entry, await import(pathToFileURL(path.join(library, setup.entry)).href));
  return found;
}

function propertiesOf(value) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return [];
  return Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([, one]) => typeof one.value === "function").map(([name, one]) => [name, one.value]);
}

const does = {
  async load() {
    await load(setup.entry);
    return { units: [...(await loaded()).keys()] };
  },
  async hold() {
    for (const [unit, exported] of await loaded()) held.set(unit, { exported, members: propertiesOf(exported) });
    return { units: [...held.keys()] };
  },
  /** Names of what is not any more what was held. */
  async lost() {
    const now = await loaded();
    return { lost: [...held].flatMap(([unit, { exported, members }]) => (now.get(unit) !== exported ? [unit] : members.filter(([name, value]) => now.get(unit)[name] !== value).map(([name]) => `${unit}: ${name}`))) };
  },
  async run({ directory, groups, mocha }) {
    process.chdir(directory);
    strays.length = 0;
    globalThis[Symbol.for("midflight.replay.fresh")] = [];
    const results = [];
    for (const { adapter, files } of groups) {
      const { run } = await import(`./adapters/${adapter}.mjs`);
      const isWatching = adapter === "script" || adapter === "tap" || adapter === "tape";
      catchStrays(isWatching);
      try {
        results.push(...(await withoutExit(() => run({ directory, files, mocha, strays, whenIdle }))));
      } finally {
        catchStrays(true);
      }
    }
    const fresh = Object.keys(require.cache).filter((file) => file.startsWith(`${directory}${path.sep}`) && setup.units.includes(path.relative(directory, file)));
    return { results, strays: strays.slice(0, 5), fresh: [...fresh.map((file) => path.relative(directory, file)), ...globalThis[Symbol.for("midflight.replay.fresh")]] };
  },
  async liveEdit({ files }) {
    const { liveEdit } = await import("./live-edit.mjs");
    return { statuses: await liveEdit(files.map(({ unit, text }) => ({ file: path.join(library, unit), text }))) };
  },
  async purge() {
    const all = setup.units.map((unit) => path.join(library, unit));
    const found = all.filter((file) => require.cache[file] !== undefined);
    for (const file of found) delete require.cache[file];
    return { purged: found.length };
  },
  async state() {
    return {};
  },
};

let socketInUse = null;
/** Resolves when nothing but this process's own socket would keep it alive. */
function whenIdle() {
  return new Promise((resolve) => {
    process.once("beforeExit", () => {
      socketInUse.ref();
      server.ref();
      // A turn of its own: what follows may wait for the next idle moment, and this one has to be over by then.
      setImmediate(resolve);
    });
    socketInUse.unref();
    server.unref();
  });
}

const server = createServer((socket) => {
  socketInUse = socket;
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) void answer(socket, JSON.parse(line));
  });
});

async function answer(socket, { id, does: name, ...more }) {
  commands += 1;
  let said;
  try {
    said = await does[name](more);
  } catch (error) {
    said = { error: String(error?.stack ?? error).slice(0, 2000) };
  }
  socket.write(`${JSON.stringify({ id, pid: process.pid, commands, ...said })}\n`);
}

server.listen(0, "127.0.0.1", () => console.log(`replay host listens on ${server.address().port}`));
