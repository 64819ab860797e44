import fs from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { findImports, packageOf } from "./find-imports.mjs";
import { floors, inUserProcess, rooms } from "./rooms.mjs";

const builtins = new Set(builtinModules);

/**
 * Compares every package under `root` with the table of rooms.
 * @param {string} root
 * @returns {string[]} one sentence per fault; none when all is well
 */
export function findRoomFaults(root) {
  const folders = fs.readdirSync(path.join(root, "packages")).filter((name) => fs.existsSync(path.join(root, "packages", name, "package.json")));
  const version = readJson(path.join(root, "package.json")).version;
  const faults = [];
  for (const name of Object.keys(rooms)) if (!folders.includes(name)) faults.push(`packages/${name} is in the table but not there`);
  for (const name of folders) {
    const room = rooms[name];
    if (room === undefined) faults.push(`packages/${name} has no room in the table`);
    else faults.push(...findPackageFaults(path.join(root, "packages", name), name, room, version));
  }
  return faults;
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {import("./rooms.mjs").Room | null} room
 * @param {string} version
 */
function findPackageFaults(folder, name, room, version) {
  const faults = [];
  const manifest = readJson(path.join(folder, "package.json"));
  const declared = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
  if (manifest.version !== version) faults.push(`${name}: version ${manifest.version} is not the repository's ${version}`);
  const floor = inUserProcess.includes(name) ? floors.user : floors.ours;
  if (manifest.engines?.node !== floor) faults.push(`${name}: engines.node is ${manifest.engines?.node}, its floor is ${floor}`);
  if (room !== null) faults.push(...findDeclarationFaults(name, room, declared, version));
  faults.push(...findReferenceFaults(folder, name, Object.keys(declared).filter((one) => !(room?.starts ?? []).includes(one))));

  // A published package carries its licence; npm takes only the one in the package's own folder.
  if (manifest.private !== true && !fs.existsSync(path.join(folder, "LICENSE"))) faults.push(`${name}: there is no LICENSE beside its package.json`);

  const ownName = manifest.name;
  for (const file of sourceFiles(path.join(folder, "src"))) {
    const place = `packages/${name}/src/${path.relative(path.join(folder, "src"), file)}`;
    for (const specifier of findImports(fs.readFileSync(file, "utf8"))) {
      faults.push(...findImportFaults(place, specifier, { folder, file, ownName, room, declared }));
    }
  }
  return faults;
}

/** @param {string} name @param {import("./rooms.mjs").Room} room @param {Record<string, string>} declared @param {string} version */
function findDeclarationFaults(name, room, declared, version) {
  const starts = room.starts ?? [];
  const allowed = [...room.ours, ...room.others, ...starts];
  const faults = [];
  for (const dependency of Object.keys(declared)) {
    if (!allowed.includes(dependency)) faults.push(`${name}: package.json depends on ${dependency}, which its room does not allow`);
  }
  for (const dependency of allowed) {
    if (declared[dependency] === undefined) faults.push(`${name}: package.json does not list ${dependency}, which the table gives it`);
  }
  for (const dependency of [...room.ours, ...starts]) {
    const range = declared[dependency];
    if (range !== undefined && range !== version) faults.push(`${name}: ${dependency} is ${range}, not ${version}`);
  }
  return faults;
}

/**
 * The compiler's references must be the packages of ours that it loads, no more and no fewer.
 * @param {string} folder
 * @param {string} name
 * @param {string[]} loads
 */
function findReferenceFaults(folder, name, loads) {
  const references = (readJson(path.join(folder, "tsconfig.json")).references ?? []).map((/** @type {{ path: string }} */ one) => path.basename(one.path));
  const ours = loads.filter(isOurs).map((one) => one.replace("@midflight/", ""));
  return [
    ...references.filter((/** @type {string} */ one) => !ours.includes(one)).map((/** @type {string} */ one) => `${name}: tsconfig.json references ${one}, package.json does not`),
    ...ours.filter((one) => !references.includes(one)).map((one) => `${name}: package.json depends on ${one}, tsconfig.json has no reference to it`),
  ];
}

/**
 * @param {string} place
 * @param {string} specifier
 * @param {{ folder: string, file: string, ownName: string, room: import("./rooms.mjs").Room | null, declared: Record<string, string> }} context
 */
function findImportFaults(place, specifier, { folder, file, ownName, room, declared }) {
  const owner = packageOf(specifier);
  if (owner === undefined) {
    const target = path.resolve(path.dirname(file), specifier);
    return target.startsWith(path.join(folder, path.sep)) ? [] : [`${place}: ${specifier} leads out of the package`];
  }
  if (specifier.startsWith("node:")) {
    return room === null || room.node ? [] : [`${place}: ${specifier} is not allowed, this room runs everywhere`];
  }
  if (builtins.has(owner)) return [`${place}: write node:${specifier}`];
  if (owner === ownName) return [`${place}: a package imports itself by a relative path, not as ${specifier}`];
  if (room !== null && !room.ours.includes(owner) && !room.others.includes(owner)) return [`${place}: ${specifier} is not allowed in this room`];
  if (declared[owner] === undefined) return [`${place}: ${specifier} is not declared in package.json`];
  return [];
}

/** @param {string} name */
function isOurs(name) {
  return name === "midflight" || name.startsWith("@midflight/");
}

/** @param {string} folder @returns {string[]} */
function sourceFiles(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$|\.[cm]?js$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
