/** The folder that every match of the glob lies in: `public/img/**` → `public/img`. "" is the app's root. */
export function globBase(glob: string): string {
  const parts = glob.split("/");
  const magic = parts.findIndex((part) => /[*?[{]/.test(part));
  return (magic === -1 ? parts.slice(0, -1) : parts.slice(0, magic)).join("/");
}

/**
 * Turns a glob into a test of whole paths: `*` and `?` stay within a folder, `**` crosses folders, `{a,b}` and `[a-z]`
 * choose. A glob without any of these names a file, or a folder with everything in it.
 */
export function createGlob(glob: string): (path: string) => boolean {
  if (!/[*?[{]/.test(glob)) return (path) => path === glob || glob === "" || path.startsWith(`${glob}/`);
  const pattern = new RegExp(`^${translate(glob)}$`, "s");
  return (path) => pattern.test(path);
}

function translate(glob: string): string {
  let out = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i]!;
    if (c === "*" && glob[i + 1] === "*") {
      const isWholePart = (i === 0 || glob[i - 1] === "/") && (glob[i + 2] === "/" || i + 2 === glob.length);
      if (isWholePart && glob[i + 2] === "/") {
        out += "(?:[^/]+/)*";
        i += 2;
      } else {
        out += isWholePart ? ".+" : "[^/]*";
        i += 1;
      }
    } else if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else if (c === "[" && glob.indexOf("]", i + 2) !== -1) {
      const end = glob.indexOf("]", i + 2);
      out += `(?!/)[${glob.slice(i + 1, end).replace(/^!/, "^").replaceAll("\\", "\\\\")}]`;
      i = end;
    } else if (c === "{") {
      depth += 1;
      out += "(?:";
    } else if (c === "}" && depth > 0) {
      depth -= 1;
      out += ")";
    } else if (c === "," && depth > 0) out += "|";
    else out += c.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  }
  return out;
}
