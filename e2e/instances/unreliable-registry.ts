import { type Blob, type Enclosure, MidflightError, type Registry } from "@midflight/protocol";
import { createRandom, forwardRegistry } from "@midflight/testkit";

/**
 * A registry that loses answers after the work is done, repeats and reorders what it hands out, tells all of it again
 * from the start, and whose hints come late, twice, without what came along, or with what came along with another. What is
 * stored is never touched.
 */
export function unreliable(inner: Registry, seed: number): Registry {
  const random = createRandom(seed);
  const lose = (share: number): void => {
    if (random() < share) throw new MidflightError("REGISTRY_UNREACHABLE", { what: "The answer was lost.", retryable: true });
  };
  const losing = <A extends readonly unknown[], R>(share: number, call: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    const result = await call(...args);
    lose(share);
    return result;
  };
  return {
    ...forwardRegistry(inner),
    report: losing(0.3, (reports) => inner.report(reports)),
    beat: losing(0.2, (beat, ttlMs) => inner.beat(beat, ttlMs)),
    getBlobs: losing(0.15, (digests) => inner.getBlobs(digests)),
    entry: losing(0.15, (id) => inner.entry(id)),
    transition: losing(0.15, (from, to) => inner.transition(from, to)),
    async read(channel, after, limit) {
      const page = await inner.read(channel, after, limit);
      lose(0.1);
      const all = random() < 0.2 ? (await inner.read(channel, null, limit)).entries : page.entries;
      const entries = random() < 0.3 ? all.toReversed() : random() < 0.4 ? [...all, ...all] : all;
      return { ...page, entries };
    },
    onPoke(channel, poke) {
      let earlier: Enclosure | undefined;
      return inner.onPoke(channel, (enclosure) => {
        if (random() < 0.6) poke(random() < 0.7 ? enclosure : undefined);
        if (random() < 0.4) poke(earlier);
        earlier = enclosure;
        // A hint that is lost for good costs half a minute: that is another test's.
        setTimeout(poke, 20 + random() * 40);
      });
    },
  };
}

/** Hands out the bytes of every blob with one bit changed, until it is told to stop. */
export function spoiling(inner: Registry): { readonly registry: Registry; stop(): void } {
  let isSpoiling = true;
  const spoil = ({ digest, bytes }: Blob): Blob => {
    const changed = Uint8Array.from(bytes);
    changed[0] = (changed[0] ?? 0) ^ 1;
    return { digest, bytes: changed };
  };
  return {
    registry: {
      ...forwardRegistry(inner),
      getBlobs: async (digests) => (isSpoiling ? (await inner.getBlobs(digests)).map(spoil) : inner.getBlobs(digests)),
      onPoke: (channel, poke) => inner.onPoke(channel, (enclosure) => poke(isSpoiling && enclosure !== undefined ? { ...enclosure, blobs: enclosure.blobs.map(spoil) } : enclosure)),
    },
    stop: () => {
      isSpoiling = false;
    },
  };
}
