import type { Registry } from "@midflight/protocol";

/** Hands every call on: what a test changes in a registry stands before it, and the registry itself stays as it is. */
export function forwardRegistry(inner: Registry): Registry {
  return {
    caps: inner.caps,
    missing: (digests) => inner.missing(digests),
    putBlobs: (blobs) => inner.putBlobs(blobs),
    getBlobs: (digests) => inner.getBlobs(digests),
    append: (request) => inner.append(request),
    head: (channel) => inner.head(channel),
    read: (channel, after, limit) => inner.read(channel, after, limit),
    entry: (id) => inner.entry(id),
    transition: (from, to) => inner.transition(from, to),
    channels: () => inner.channels(),
    onPoke: (channel, poke) => inner.onPoke(channel, poke),
    report: (reports) => inner.report(reports),
    reports: (query) => inner.reports(query),
    beat: (beat, ttlMs) => inner.beat(beat, ttlMs),
    presence: (channel) => inner.presence(channel),
    retain: (policy) => inner.retain(policy),
    close: () => inner.close(),
  };
}
