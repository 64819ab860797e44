import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  buildTree, createAssignStatement, createReleaseStatement, createTransitionStatement, type Assign, type Blob, type LogEntry, type Registry, type Release, type ReleaseId, type Report,
  type Rung, type UnitOps, type Digest,
} from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { createTrustRoot, generateSigningKey, sha256, signStatement, type SigningKey, type TrustRoot } from "@midflight/trust";
import type { BootRelease } from "../../src/boot.ts";

export const channel = "shop/test";

/** The one unit of a hand-made release. */
export const unit = "src/price.js";

export function textOf({ release: { number } }: { readonly release: Pick<Release, "number"> }): string {
  return `text of r${number}`;
}

type Entry = Omit<LogEntry, "cursor" | "at">;

export interface Published {
  readonly id: ReleaseId;
  readonly release: Release;
  readonly entry: Entry;
}

/** Real keys, a real registry in memory, and hand-made releases of one unit: everything around an agent but the app. */
export class World {
  readonly builder: SigningKey = generateSigningKey();
  readonly planner: SigningKey = generateSigningKey();
  readonly controller: SigningKey = generateSigningKey();
  readonly root: TrustRoot;
  registry: Registry = openMemoryRegistry();
  readonly directory: string = mkdtempSync(path.join(tmpdir(), "midflight-agent-"));
  /** Of each release's tree, by its root. */
  readonly directories: Map<Digest, readonly Digest[]> = new Map();
  #counter = 0;
  #number = 0;
  readonly #unstored: Blob[] = [];
  /** Everything that was stored, oldest first. */
  readonly stored: Blob[] = [];
  /** What the appends to come enclose beside their entries. */
  enclosed: readonly Blob[] = [];

  constructor(app = "shop") {
    this.root = createTrustRoot(app, [
      { name: "builder", key: this.builder, roles: ["builder"] },
      { name: "planner", key: this.planner, roles: ["planner"] },
      { name: "controller", key: this.controller, roles: ["controller"] },
    ]);
  }

  close(): void {
    // An agent that was told to stop may be writing its last file.
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  }

  /** A release of one unit, `src/price.js`, with that text. */
  release(change: Partial<Release> = {}, key: SigningKey = this.builder): Published {
    const number = ++this.#number;
    const text = textOf({ release: { number } });
    const artifact = sha256(text);
    const tree = buildTree(new Map([[unit, { kind: "unit", format: "esm", source: sha256(`plain ${text}`), artifact, bytes: text.length }]]), sha256);
    for (const [digest, bytes] of tree.blobs) this.#unstored.push({ digest, bytes });
    this.directories.set(tree.root, [...tree.blobs.keys()]);
    const release: Release = {
      app: "shop",
      number,
      tree: tree.root,
      instrumentation: 1,
      lock: null,
      units: 1,
      provenance: { vcs: null, ci: null, meta: {}, builder: "test", builtAt: new Date(0).toISOString() },
      ...change,
    };
    const { id, envelope } = signStatement(createReleaseStatement(release), key);
    return { id, release, entry: { kind: "release", id, envelope } };
  }

  boot(published: Published): BootRelease {
    return { directory: this.directory, id: published.id, release: published.release, artifacts: new Map() };
  }

  /** A way that changes the unit; its blobs are stored. */
  async transition(from: Published, to: Published, options: { readonly birth?: string; readonly text?: string; readonly rung?: Rung; readonly key?: SigningKey; readonly directories?: readonly Digest[] } = {}): Promise<Entry> {
    const { text = textOf(to), birth = to.id, rung = "patch", key = this.planner } = options;
    const artifact = sha256(text);
    const ops: UnitOps = { unit, birth, artifact, imports: [], cells: [], bodies: [], members: [], removals: [] };
    const opsText = JSON.stringify(ops);
    const isReplace = rung === "replace";
    const { id, envelope } = signStatement(
      createTransitionStatement({
        from: from.id,
        to: to.id,
        instrumentation: 1,
        rung,
        verdicts: isReplace ? [{ unit, rung, reason: "price.js: a side effect changed", evidence: [], rejected: [] }] : [],
        units: isReplace ? [] : [{ unit, birth: sha256("boot"), ops: sha256(opsText), artifact }],
        added: [],
        ...(options.directories !== undefined && { directories: options.directories }),
      }),
      key,
    );
    await this.#store([text, opsText].map((t) => ({ digest: sha256(t), bytes: new TextEncoder().encode(t) })));
    return { kind: "transition", id, envelope, from: from.id, to: to.id };
  }

  assign(to: Published, change: Partial<Assign> = {}, key: SigningKey = this.controller): Entry {
    const counter = change.counter ?? ++this.#counter;
    this.#counter = Math.max(this.#counter, counter);
    const { id, envelope } = signStatement(
      createAssignStatement({
        channel,
        epoch: 1,
        counter,
        release: to.id,
        number: to.release.number,
        targets: { kind: "all" },
        revertTo: [],
        cause: "deploy",
        by: "test",
        why: null,
        issuedAt: new Date().toISOString(),
        expiresAt: null,
        ...change,
      }),
      key,
    );
    return { kind: "assign", id, envelope };
  }

  async append(...entries: readonly Entry[]): Promise<void> {
    await this.#store(this.#unstored.splice(0));
    const head = await this.registry.head(channel);
    const result = await this.registry.append({ channel, expect: head?.id ?? null, entries, needs: [], ...(this.enclosed.length > 0 && { enclosed: this.enclosed }) });
    if (result.kind !== "appended") throw new Error(result.kind);
  }

  async #store(blobs: readonly Blob[]): Promise<void> {
    this.stored.push(...blobs);
    await this.registry.putBlobs(blobs);
  }

  /** Publishes a new release with its way from the boot release, and assigns it. */
  async deploy(from: Published, change: Partial<Assign> = {}): Promise<Published> {
    const to = this.release();
    await this.append(to.entry, await this.transition(from, to), this.assign(to, change));
    return to;
  }

  async reports(): Promise<readonly Report[]> {
    return (await this.registry.reports({ channel })).toReversed();
  }
}
