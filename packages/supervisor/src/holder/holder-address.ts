import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { MidflightError } from "@midflight/protocol";

/** unix(7): `sun_path` holds 108 bytes on Linux, 104 elsewhere, with the zero at the end, and a process's number is added. */
const longestPath = 92;

/** Where the holder of a project listens. */
export function holderAddress(root: string): string {
  return socketAddress(root, "holder");
}

/** A path for a Unix socket: in the project, or, if that is too long for one, in a directory of the user's own. */
export function socketAddress(root: string, name: string): string {
  const inside = path.join(root, `${name}.sock`);
  if (Buffer.byteLength(inside) <= longestPath) {
    fs.mkdirSync(path.dirname(inside), { recursive: true, mode: 0o700 });
    return inside;
  }
  const directory = path.join(os.tmpdir(), `midflight-${os.userInfo().uid}`);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = fs.lstatSync(directory);
  if (uid !== os.userInfo().uid || (mode & 0o077) !== 0) {
    throw new MidflightError("FILE_UNREADABLE", { what: `${directory} is not for this user alone.`, why: "who can write there could take over the project's processes.", fix: [`remove ${directory}`] });
  }
  return path.join(directory, `${createHash("sha256").update(name === "holder" ? root : `${root}\0${name}`).digest("hex").slice(0, 24)}.sock`);
}
