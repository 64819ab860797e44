// Proves that each package imports only what its room allows: package.json, tsconfig.json and every import in src.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findRoomFaults } from "./rooms/find-room-faults.mjs";

const root = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), ".."));
const faults = findRoomFaults(root);
for (const fault of faults) process.stderr.write(`✖ ${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
