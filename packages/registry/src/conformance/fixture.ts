import {
  buildTree, createAssignStatement, createReleaseStatement, createTransitionStatement,
  type AppendRequest, type Assign, type Beat, type Blob, type Digest, type FileEntry, type LogEntry, type Registry, type Report, type Statement,
} from "@midflight/protocol";
import { createTrustRoot, generateSigningKey, sha256, signStatement, type TrustRoot } from "@midflight/trust";

export type NewEntry = AppendRequest["entries"][number];

/** A publisher in a few lines: releases with real trees and blobs, signed by a key made for it. */
export interface Fixture {
  readonly channel: string;
  /** Believes the fixture's key in every role. */
  readonly root: TrustRoot;
  readonly blobs: (...texts: string[]) => Blob[];
  /** A release whose tree holds these texts as units in `src/`, with every blob it needs. */
  readonly release: (number: number, ...texts: string[]) => { readonly entry: NewEntry; readonly blobs: readonly Blob[]; readonly id: Digest };
  readonly assign: (release: Digest, over?: Partial<Assign>) => NewEntry;
  readonly transition: (from: Digest, to: Digest, ops?: readonly Blob[]) => NewEntry;
  /** Puts the blobs and appends release and assign, as the newest of the channel. */
  readonly publish: (registry: Registry, number: number, text: string, over?: Partial<Assign>) => Promise<{ readonly release: Digest; readonly assign: Digest; readonly blobs: readonly Blob[]; readonly entries: readonly NewEntry[] }>;
  readonly beat: (over?: Partial<Beat>) => Beat;
  readonly report: (id: string, over?: Partial<Report>) => Report;
}

const signingKey = generateSigningKey();
const root = createTrustRoot("shop", [{ name: "fixture", key: signingKey, roles: ["builder", "planner", "controller"] }]);

function sign(kind: NewEntry["kind"], statement: Statement, ends: { from?: Digest; to?: Digest } = {}): NewEntry {
  const { envelope, id } = signStatement(statement, signingKey);
  return { kind, id, envelope, ...ends };
}

function blobs(...texts: string[]): Blob[] {
  return texts.map((text) => {
    const bytes = Buffer.from(text);
    return { digest: sha256(bytes), bytes };
  });
}

function transition(from: Digest, to: Digest, ops: readonly Blob[] = []): NewEntry {
  return sign("transition", createTransitionStatement({
    from, to, instrumentation: 1, rung: "patch", verdicts: [], added: [],
    units: ops.map((blob, i) => ({ unit: `src/u${i}.js`, birth: blob.digest, ops: blob.digest, artifact: blob.digest })),
  }), { from, to });
}

export function createFixture(channel = "shop/development"): Fixture {
  let counter = 0;
  const release: Fixture["release"] = (number, ...texts) => {
    const units = blobs(...texts);
    const files = new Map<string, FileEntry>(units.map(({ digest, bytes }, i) => [`src/u${i}.js`, { kind: "unit", format: "esm", source: digest, artifact: digest, bytes: bytes.length }]));
    const tree = buildTree(files, sha256);
    const entry = sign("release", createReleaseStatement({
      app: "shop", number, tree: tree.root, instrumentation: 1, lock: null, units: units.length,
      provenance: { vcs: null, ci: null, meta: {}, builder: "ada@desk", builtAt: "2026-01-02T03:04:05.000Z" },
    }));
    return { entry, id: entry.id, blobs: [...units, ...Array.from(tree.blobs, ([digest, bytes]) => ({ digest, bytes }))] };
  };
  const assign: Fixture["assign"] = (to, over = {}) => sign("assign", createAssignStatement({
    channel, epoch: 1, counter: ++counter, release: to, number: counter, targets: { kind: "all" }, revertTo: [], cause: "deploy",
    by: "ada@desk", why: null, issuedAt: "2026-01-02T03:04:05.000Z", expiresAt: null, ...over,
  }));
  return {
    channel, root, blobs, release, assign, transition,
    publish: async (registry, number, text, over) => {
      const made = release(number, text, "export const same = 1;\n");
      const assigned = assign(made.id, { number, ...over });
      const entries = [made.entry, assigned];
      await registry.putBlobs(made.blobs);
      const expect = (await registry.head(channel))?.id ?? null;
      const result = await registry.append({ channel, expect, entries, needs: made.blobs.map((b) => b.digest) });
      if (result.kind !== "appended") throw new Error(`the append was answered with ${result.kind}`);
      return { release: made.id, assign: assigned.id, blobs: made.blobs, entries };
    },
    beat: (over = {}) => ({
      agent: "agent-1", target: "web-1", service: "web", host: "desk", pid: 7, thread: 0, runtime: "node 24", startedAt: "2026-01-02T03:04:05.000Z",
      channel, state: "following", boot: null, live: null, counter: 0, generation: 0, ...over,
    }),
    report: (id, over = {}) => ({
      id, channel, counter: 1, boot: null, at: "2026-01-02T03:04:05.000Z",
      from: { agent: "agent-1", target: "web-1", service: "web", host: "desk", pid: 7, thread: 0, runtime: "node 24", startedAt: "2026-01-02T03:04:05.000Z" },
      outcome: { kind: "refused", release: sha256("r"), code: "UNIT_SYNTAX", reason: "no", unit: null }, ...over,
    }),
  };
}

/** Reads a channel to its end, page by page. */
export async function readAll(registry: Registry, channel: string, limit = 1_000): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let page = await registry.read(channel, null, limit); ; page = await registry.read(channel, page.next, limit)) {
    entries.push(...page.entries);
    if (page.isEnd) return entries;
  }
}
