import { instrumentationVersion } from "@midflight/planner";
import { type Assign, type AssignCause, type Digest, type Provenance, type Registry, type ReleaseId, type RequestPolicy, type Rung } from "@midflight/protocol";
import type { TrustRoot } from "@midflight/trust";
import type { Agentless } from "./agentless.ts";
import type { Analyses } from "./analyses.ts";
import { openChannelView } from "./channel-view.ts";
import type { CollectedTree } from "./collect.ts";
import { isLive, makeDraft, placeOf, placeOfTree, unsigned, type Draft } from "./draft.ts";
import { findBlob, newBlobs } from "./new-blobs.ts";
import { openNumbering } from "./numbering.ts";
import type { ProvenanceReader } from "./provenance.ts";
import { createRelease, findReleaseOf, shapeOf } from "./release-of-tree.ts";
import { openOutlook } from "./outlook.ts";
import { createReleaseShapes, type ReleaseShape } from "./release-shapes.ts";
import { summarise, type PublishOutcome, type ReleaseOutcome, type ReleasePlan } from "./release-plan.ts";
import { checkRung, describeOpen, isStale, overtaken, overtakenBy, refused, revertToAfter, unknownNumber } from "./refusals.ts";
import { withRetry } from "./retry.ts";
import { createTransition, planRoute, type Place } from "./routes.ts";
import { createSigner, type PublisherKeys } from "./signer.ts";
import { createUploader, type BlobBook, type Uploader } from "./upload.ts";
import { firstWave, followingWave, isRolloutOpen, type Proceeding, type ProceedOutcome, type Waves } from "./wave-assign.ts";

export interface PublisherOptions {
  readonly registry: Registry;
  readonly app: string;
  /** `app/channel`. */
  readonly channel: string;
  readonly keys: PublisherKeys;
  readonly root: TrustRoot;
  /** Who deploys, for people. */
  readonly by: string;
  readonly provenance: ProvenanceReader;
  /** The collector's, so that no text is analysed twice. */
  readonly analyses: Analyses;
  /** How long a registry that is away is waited for. Default: 5,000 ms. */
  readonly retryMs?: number;
  readonly clock?: () => Date;
  /** What its assigns say of requests under way. Default: nothing, then processes do as they were started. */
  readonly requests?: RequestPolicy;
  /** The service whose code a file is, if that runs without an agent: its change needs a new process. Default: none does. */
  readonly agentless?: Agentless;
}

export interface AssignOptions {
  /** For people. */
  readonly why?: string;
  /** The strongest rung that is allowed. Default: `reload`. */
  readonly maxRung?: Rung;
  /** Step by step. Default: all processes at once. */
  readonly waves?: Waves;
}

export interface PublishOptions extends AssignOptions {
  /** Anything else that should be known of the release. */
  readonly meta?: Readonly<Record<string, string>>;
  /** Publish only on top of this assign, and only this tree; otherwise `PLAN_STALE`. */
  readonly expect?: { readonly head: Digest | null; readonly tree?: Digest };
}

/**
 * Makes signed releases out of trees and assigns them to a channel. Each publish is one append, guarded by the
 * channel's head: it is in the log as a whole or not at all, and of two publishers one goes first.
 */
export interface Publisher {
  /** Begins to read what the next plan is made on, while its code is still being collected. */
  lookAhead(): void;
  /** What publishing this tree would do. No effect. */
  plan(tree: CollectedTree): Promise<ReleasePlan>;
  /**
   * Publishes a tree; or a plan, which is refused as `PLAN_STALE` if it does not hold any more.
   * @throws MidflightError `REGISTRY_UNREACHABLE`, `DISK_FULL`, `OBJECT_TOO_LARGE`, `BUILD_UNSETTLED`; then nothing of it is in the log
   */
  publish(what: CollectedTree | ReleasePlan, options?: PublishOptions): Promise<PublishOutcome>;
  /**
   * Makes a release of a tree and leaves live what is live. A tree that the log has a release of gets no other one.
   * @throws MidflightError `REGISTRY_UNREACHABLE`, `DISK_FULL`, `OBJECT_TOO_LARGE`, `BUILD_UNSETTLED`, `CHANNEL_HEAD_MOVED`; then nothing of it is in the log
   */
  release(tree: CollectedTree, options?: Pick<PublishOptions, "meta">): Promise<ReleaseOutcome>;
  /** Makes a release that exists the live one. Cause `retry` also repeats the live one. @throws MidflightError `RELEASE_UNKNOWN` */
  assign(to: ReleaseId | number, options?: AssignOptions & { readonly cause?: AssignCause }): Promise<PublishOutcome>;
  /** Goes back: to `to`, or to what the live assign prefers; with `expect` only if that is still the newest assign. @throws MidflightError `RELEASE_UNKNOWN` */
  rollback(options?: AssignOptions & { readonly to?: ReleaseId | number; readonly expect?: Digest }): Promise<PublishOutcome>;
  /** Goes on with a rollout by waves, or pauses it. One append, or none if somebody was first. @throws MidflightError `REGISTRY_UNREACHABLE` */
  proceed(how: Proceeding): Promise<ProceedOutcome>;
  /** Sees to it that processes that booted `from` can become `to`. @throws MidflightError `RELEASE_UNKNOWN`, `CHANNEL_HEAD_MOVED` */
  ensureTransition(from: ReleaseId, to: ReleaseId): Promise<void>;
  /** Plans now what would be planned at the next quiet moment: the way back for processes that start from the newest release. */
  prepare(): Promise<void>;
  /** Drops what is left to prepare. */
  close(): void;
}

/** How a registry is called that may be away for a moment. */
interface Manner {
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
  readonly uploader: Uploader;
}

/** Where a publish leads: a tree that becomes a release, or (`tree: null`) a release that is one. */
interface Target {
  readonly place: Place;
  readonly number: number;
  readonly made: { readonly tree: CollectedTree; readonly provenance: Provenance } | null;
}

const maxAttempts = 5;
/** The guard is for what retention may have swept; what was just stored needs none. */
const maxNeeds = 50_000;
/** Directories that a transition names; beyond that, agents find them by themselves. */
const maxHints = 1_000;
const prepareAfterMs = 5_000;

export function openPublisher(options: PublisherOptions): Publisher {
  const { registry, app, channel, keys, root } = options;
  const clock = options.clock ?? (() => new Date());
  const retry = <T>(call: () => Promise<T>): Promise<T> => withRetry(options.retryMs ?? 5_000, call);
  const view = openChannelView(registry, channel, root, instrumentationVersion);
  const outlook = openOutlook(registry, channel, view);
  const shapes = createReleaseShapes(registry, root, options.analyses);
  const patient: Manner = { retry, uploader: createUploader(registry, retry) };
  const once = <T>(call: () => Promise<T>): Promise<T> => call();
  const hasty: Manner = { retry: once, uploader: createUploader(registry, once) };
  const nextNumber = openNumbering({ registry, app, channel, root, view, retry });
  const draft = (target: Place): Promise<Draft> => retry(async () => makeDraft(await outlook.take(), view, shapes, target, options.agentless));
  let running: Promise<unknown> = Promise.resolve();
  let unprepared: { readonly from: ReleaseId; readonly to: ReleaseId } | null = null;
  let preparing: NodeJS.Timeout | undefined;

  /** One thing at a time: each changes what the next is planned on. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = running.then(work);
    running = next.catch(() => undefined);
    return next;
  }

  /** No process has started from the newest release yet, so its way back can wait until those that run have swapped. */
  function prepareLater(from: ReleaseId, to: ReleaseId | null): void {
    clearTimeout(preparing);
    unprepared = to === null || to === from ? null : { from, to };
    // A roll-back plans what it lacks: a failure here costs time only.
    preparing = setTimeout(() => void prepare().catch(() => undefined), prepareAfterMs);
    preparing.unref();
  }

  async function prepare(): Promise<void> {
    clearTimeout(preparing);
    const next = unprepared;
    unprepared = null;
    if (next !== null) await inTurn(() => ensureTransition(next.from, next.to, hasty));
  }

  /** Signs everything, stores what is new, appends once. */
  async function commit(target: Target, made: Draft, { waves, ...next }: Pick<Assign, "cause" | "revertTo" | "why"> & { readonly waves: Waves | undefined }): Promise<PublishOutcome | "moved"> {
    const signed = createSigner(keys);
    const blobs: BlobBook = target.made === null ? new Map() : newBlobs(target.made.tree, made.live?.shape ?? null);
    const needs = new Set(blobs.keys());
    let id = target.place.id;
    let shape: ReleaseShape | null = null;
    if (target.made !== null) {
      const { tree, provenance } = target.made;
      const release = createRelease(app, target.number, tree, provenance);
      id = signed.release(release);
      shape = shapeOf(release, tree);
    }
    const fresh = [...(target.made?.tree.directories.keys() ?? [])].filter((digest) => made.live?.shape.directories.has(digest) !== true).slice(0, maxHints);
    const transitions = [...made.forward, ...made.back].filter((route) => !route.isKnown).map((route) => {
      const [from, to] = [route.from, route.to.id].map((end) => (end === unsigned ? id : end)) as [ReleaseId, ReleaseId];
      const { transition, ...made } = createTransition({ ...route, from }, to, to === id ? fresh : []);
      signed.transition(transition);
      for (const { digest, bytes } of made.blobs) {
        blobs.set(digest, () => bytes);
        needs.add(digest);
      }
      for (const artifact of made.artifacts) needs.add(artifact);
      return { from, to, rung: transition.rung };
    });
    const last = made.live?.assign;
    const now = clock();
    const counter = (last?.counter ?? 0) + 1;
    const assign: Assign = {
      ...next,
      ...firstWave(waves, counter, last ?? null),
      channel,
      // Seconds: a channel that is made anew outranks the one that agents remember.
      epoch: last?.epoch ?? Math.floor(now.getTime() / 1_000),
      counter,
      release: id,
      number: target.number,
      by: options.by,
      issuedAt: now.toISOString(),
      expiresAt: null,
      ...(options.requests !== undefined && { requests: options.requests }),
    };
    const assignId = signed.assign(assign);
    const request = { channel, expect: made.head, ...(target.made !== null && { lastRelease: view.lastRelease }), entries: signed.entries, needs: [...needs].slice(0, maxNeeds) };
    if ((await patient.uploader.append(request, blobs, (digest) => (target.made === null ? undefined : findBlob(target.made.tree, digest)))) === "moved") return "moved";
    view.appended(signed.own);
    if (shape !== null) shapes.put(id, shape);
    shapes.keep(new Set([id, ...made.forward.map((route) => route.from), ...(last === undefined ? [] : [last.release])]));
    prepareLater(id, last?.release ?? null);
    const { rung, verdicts } = made;
    return { kind: "published", release: id, number: target.number, rung, verdicts, assign: assignId, counter: assign.counter, before: last?.release ?? null, wave: assign.wave ?? null, transitions };
  }

  async function makePlan(tree: CollectedTree): Promise<{ readonly plan: ReleasePlan; readonly made: Draft }> {
    const made = await draft(placeOfTree(tree));
    const { head, live, rung, verdicts } = made;
    const routes = made.forward.map((route) => summarise(route, made.agents.get(route.from) ?? 0));
    return { plan: { tree, head, live: live?.assign ?? null, isUnchanged: isLive(tree, made), rung, verdicts, routes }, made };
  }

  async function publish(tree: CollectedTree, { maxRung = "reload", ...publishing }: PublishOptions): Promise<PublishOutcome> {
    const provenance = options.provenance.read(publishing.meta);
    provenance.catch(() => undefined); // it is met where it is awaited
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { plan, made } = await makePlan(tree);
      const { live } = plan;
      if (isRolloutOpen(live)) return refused("ROLLOUT_IN_PROGRESS", made, describeOpen(live!));
      if (publishing.expect !== undefined && isStale(plan, publishing.expect)) return refused("PLAN_STALE", made, "the code or the live release changed after the plan was made");
      if (plan.isUnchanged && live !== null) return { kind: "unchanged", release: live.release, number: live.number };
      const tooHigh = checkRung(made, maxRung);
      if (tooHigh !== null) return tooHigh;
      const revertTo = revertToAfter(live, null, "deploy");
      const target = { place: placeOfTree(tree), number: await nextNumber(), made: { tree, provenance: await provenance } };
      const outcome = await commit(target, made, { cause: "deploy", revertTo, why: publishing.why ?? null, waves: publishing.waves });
      if (outcome !== "moved") return outcome;
    }
    return overtaken;
  }

  async function release(tree: CollectedTree, meta: PublishOptions["meta"]): Promise<ReleaseOutcome> {
    const provenance = options.provenance.read(meta);
    provenance.catch(() => undefined); // it is met where it is awaited
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      await retry(() => view.refresh());
      const known = findReleaseOf(tree, view);
      // What a log once had, retention may have taken.
      if (known !== null && (await retry(() => registry.entry(known.id))) !== null) return { kind: "known", release: known.id, number: known.number };
      const before = view.live === null ? null : await retry(() => shapes.get(view.live!.release));
      const made = createRelease(app, await nextNumber(), tree, await provenance);
      const signed = createSigner(keys);
      const id = signed.release(made);
      const blobs = newBlobs(tree, before);
      const request = { channel, expect: view.head, lastRelease: view.lastRelease, entries: signed.entries, needs: [...blobs.keys()].slice(0, maxNeeds) };
      if ((await patient.uploader.append(request, blobs, (digest) => findBlob(tree, digest))) === "moved") continue;
      view.appended(signed.own);
      return { kind: "released", release: id, number: made.number };
    }
    throw overtakenBy("a release");
  }

  async function assign(to: ReleaseId | number | null, cause: AssignCause, { maxRung = "reload", why, waves, expect }: AssignOptions & { readonly expect?: Digest }): Promise<PublishOutcome> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      await retry(() => view.refresh());
      const live = view.live;
      if (expect !== undefined && view.head !== expect) return overtaken;
      if (cause !== "rollback" && isRolloutOpen(live)) return refused("ROLLOUT_IN_PROGRESS", { rung: "patch", verdicts: [] }, describeOpen(live!));
      const id = typeof to === "number" ? view.numbered(to) : (to ?? live?.revertTo[0] ?? null);
      if (id === null && typeof to === "number") throw unknownNumber(to);
      if (id === null) return refused("ROLLBACK_NOTHING", { rung: "patch", verdicts: [] }, "the live release is the first one");
      if (live?.release === id && cause !== "retry") return { kind: "unchanged", release: id, number: live.number };
      const place = await retry(() => placeOf(shapes, id));
      const { number } = await retry(() => shapes.release(id));
      const made = await draft(place);
      // The draft has looked again, and is what the append is guarded by.
      if (expect !== undefined && made.head !== expect) return overtaken;
      if (cause !== "rollback" && isRolloutOpen(made.live?.assign ?? null)) continue;
      const tooHigh = checkRung(made, maxRung);
      if (tooHigh !== null) return tooHigh;
      const outcome = await commit({ place, number, made: null }, made, { cause, revertTo: revertToAfter(made.live?.assign ?? null, id, cause), why: why ?? null, waves: cause === "deploy" ? waves : undefined });
      if (outcome !== "moved") return outcome;
    }
    return overtaken;
  }

  async function proceed({ expect, ...how }: Proceeding): Promise<ProceedOutcome> {
    await retry(() => view.refresh());
    const { live } = view;
    if (view.head !== expect) return { kind: "moved" };
    if (live === null || !isRolloutOpen(live)) return { kind: "none" };
    const signed = createSigner(keys);
    const assign = followingWave(live, how, options.by, clock().toISOString());
    const id = signed.assign(assign);
    if ((await patient.uploader.append({ channel, expect, entries: signed.entries, needs: [] }, new Map())) === "moved") return { kind: "moved" };
    view.appended(signed.own);
    return { kind: "proceeded", assign: id, counter: assign.counter, step: assign.wave!.step };
  }

  async function ensureTransition(fromId: ReleaseId, toId: ReleaseId, { retry, uploader }: Manner): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      await retry(() => view.refresh());
      if (view.hasRoute(fromId, toId)) return;
      const from = await retry(() => placeOf(shapes, fromId));
      const to = await retry(() => placeOf(shapes, toId));
      const { transition, blobs } = createTransition(planRoute(from, to, { touched: view.touched(fromId), reloaded: view.reloaded(fromId), added: view.added(fromId), live: null, ...(options.agentless !== undefined && { agentless: options.agentless }) }), toId);
      const signed = createSigner(keys);
      signed.transition(transition);
      const book: BlobBook = new Map(blobs.map(({ digest, bytes }) => [digest, () => bytes]));
      if ((await uploader.append({ channel, expect: view.head, entries: signed.entries, needs: [...book.keys()] }, book)) === "appended") return view.appended(signed.own);
    }
    throw overtakenBy("a transition");
  }

  return {
    lookAhead: () => void inTurn(() => outlook.ahead()),
    plan: (tree) => inTurn(async () => (await makePlan(tree)).plan),
    publish: (what, publishing = {}) =>
      inTurn(() => ("head" in what ? publish(what.tree, { expect: { head: what.head, tree: what.tree.root }, ...publishing }) : publish(what, publishing))),
    release: (tree, { meta } = {}) => inTurn(() => release(tree, meta)),
    assign: (to, { cause = "deploy", ...assigning } = {}) => inTurn(() => assign(to, cause, assigning)),
    rollback: ({ to, ...assigning } = {}) => inTurn(() => assign(to ?? null, "rollback", assigning)),
    proceed: (how) => inTurn(() => proceed(how)),
    ensureTransition: (from, to) => inTurn(() => ensureTransition(from, to, patient)),
    prepare,
    close() {
      clearTimeout(preparing);
      unprepared = null;
    },
  };
}
