import type { AgentWord, DrainedWord } from "@midflight/protocol";
import { drainByContract } from "./drain-by-contract.ts";
import type { Service } from "./service.ts";
import type { Running } from "./running.ts";

export interface Retired {
  readonly tookMs: number;
  readonly handedOver: number;
  /** Connections that were open when time was up. */
  readonly left: number;
}

/** What a process takes at most beyond its deadline, to say that it is over. */
const graceMs = 2000;

/**
 * Brings a process to its end after another one has taken its place: it stops accepting, answers what it has begun, gives
 * its idle connections to the heir, and only then is told to end.
 * @param isHurried aborted when nobody can wait any more
 */
export async function retire(old: Pick<Running, "child">, heir: Pick<Running, "child"> | null, service: Retiring, isHurried: AbortSignal): Promise<Retired> {
  const startedAt = performance.now();
  if (!service.agent) {
    const left = await drainByContract(old.child, service, isHurried);
    return { tookMs: performance.now() - startedAt, handedOver: 0, left };
  }
  const drained = old.child.held === null ? null : await drain(old, heir, service.drainTimeoutMs, isHurried);
  await old.child.stop(service.stopTimeoutMs);
  return { tookMs: performance.now() - startedAt, handedOver: drained?.handedOver ?? 0, left: drained?.left ?? 0 };
}

type Retiring = Pick<Service, "agent" | "drain" | "drainTimeoutMs" | "stopTimeoutMs">;

async function drain(old: Pick<Running, "child">, heir: Pick<Running, "child"> | null, deadlineMs: number, isHurried: AbortSignal): Promise<DrainedWord | null> {
  const held = old.child.held!;
  const drained = held.hear(isDrained);
  held.say({ kind: "drain", deadlineMs, heirs: [...(heir?.child.held?.listening ?? [])] }, heir?.child.held ?? undefined);
  let timer: NodeJS.Timeout | undefined;
  let hurry: (() => void) | undefined;
  const over = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), deadlineMs + graceMs);
    hurry = () => resolve(null);
    isHurried.addEventListener("abort", hurry);
    if (isHurried.aborted) hurry();
  });
  try {
    return await Promise.race([drained, over, old.child.exited.then(() => null), held.lost.then(() => null)]);
  } finally {
    clearTimeout(timer);
    isHurried.removeEventListener("abort", hurry!);
  }
}

function isDrained(word: AgentWord): word is DrainedWord {
  return word.kind === "drained";
}
