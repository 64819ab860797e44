// A writer that is never late: within a command that imports this, a file named growing.js has grown by the time its
// reader looks again, until the text says that it is at rest. A writer in a process of its own may get no turn for as
// long as a busy machine likes, and is then told apart from one that has finished by nobody.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { openSync, readSync } = fs;
const growing = new Map();

fs.openSync = (file, ...rest) => {
  const fd = openSync(file, ...rest);
  if (String(file).endsWith("/growing.js")) growing.set(fd, file);
  else growing.delete(fd);
  return fd;
};

fs.readSync = (fd, buffer, ...rest) => {
  const length = readSync(fd, buffer, ...rest);
  const file = growing.get(fd);
  if (file === undefined || buffer.includes("// at rest")) return length;
  growing.delete(fd);
  fs.appendFileSync(file, "// and on and on\n");
  return length;
};

syncBuiltinESMExports();
