import { encodeDirectory, invalid, isSafePath, type Digest, type Directory, type FileEntry, type Hash } from "@midflight/protocol";

interface Node {
  readonly children: Map<string, FileEntry | Node>;
  /** Null: something below changed. */
  closed: { readonly digest: Digest; readonly bytes: Uint8Array } | null;
}

/** The Merkle tree of a release (as `buildTree` of the protocol makes it), kept so that a change costs its own path only. */
export interface MerkleTree {
  /** Null removes the file. */
  set(path: string, entry: FileEntry | null): void;
  /** Digest of the root, and the encoding of each directory by its digest. */
  close(): { readonly root: Digest; readonly directories: ReadonlyMap<Digest, Uint8Array> };
}

export function createMerkleTree(hash: Hash): MerkleTree {
  const top: Node = { children: new Map(), closed: null };
  let directories: ReadonlyMap<Digest, Uint8Array> = new Map();

  function close(node: Node): { readonly digest: Digest; readonly bytes: Uint8Array } {
    if (node.closed !== null) return node.closed;
    const entries: Record<string, Directory["entries"][string]> = Object.create(null) as Record<string, never>;
    for (const [name, child] of node.children) entries[name] = isNode(child) ? { kind: "dir", digest: close(child).digest } : child;
    const bytes = encodeDirectory({ entries });
    node.closed = { digest: hash(bytes), bytes };
    return node.closed;
  }

  return {
    set(path, entry) {
      if (!isSafePath(path)) invalid(path.slice(0, 80), "a path inside the app");
      set(top, path.split("/"), 0, entry);
    },
    close() {
      if (top.closed === null) {
        close(top);
        directories = collect(top);
      }
      return { root: close(top).digest, directories };
    },
  };
}

function isNode(value: FileEntry | Node): value is Node {
  return "children" in value;
}

function set(node: Node, parts: readonly string[], at: number, entry: FileEntry | null): void {
  node.closed = null;
  const name = parts[at]!;
  if (at === parts.length - 1) {
    if (entry === null) node.children.delete(name);
    else node.children.set(name, entry);
    return;
  }
  let child = node.children.get(name);
  if (child === undefined || !isNode(child)) {
    if (entry === null) return;
    node.children.set(name, (child = { children: new Map(), closed: null }));
  }
  set(child, parts, at + 1, entry);
  // A directory without files is none.
  if (child.children.size === 0) node.children.delete(name);
}

function collect(top: Node): ReadonlyMap<Digest, Uint8Array> {
  const out = new Map<Digest, Uint8Array>();
  const walk = (node: Node): void => {
    if (node.closed !== null) out.set(node.closed.digest, node.closed.bytes);
    for (const child of node.children.values()) if (isNode(child)) walk(child);
  };
  walk(top);
  return out;
}
