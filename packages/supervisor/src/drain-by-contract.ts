import type { Child } from "./child.ts";
import type { OwnDoor } from "./holder/words.ts";
import type { Service } from "./service.ts";

const pollMs = 50;
const answerWithinMs = 2000;

/**
 * Brings a process without an agent to its end, see spec/replace.md: it is asked on its own socket until it says that it is
 * safe to stop, and then told to. One that cannot be asked is told at once, and has as long for what it has begun.
 * @returns how many requests it said were open when time was up
 */
export async function drainByContract(child: Child, service: Pick<Service, "drain" | "drainTimeoutMs" | "stopTimeoutMs">, isHurried: AbortSignal): Promise<number> {
  const door = child.held?.door ?? null;
  const startedAt = performance.now();
  const spentMs = (): number => performance.now() - startedAt;
  if (service.drain === null || door === null) {
    await stopWithin(child, service.drainTimeoutMs, service.stopTimeoutMs, isHurried);
    return 0;
  }
  const deadline = AbortSignal.any([AbortSignal.timeout(service.drainTimeoutMs), isHurried]);
  const asked = await askUntilSafe(child, door, service.drain, deadline, service.drainTimeoutMs);
  if (asked === "unanswered") await stopWithin(child, Math.max(service.stopTimeoutMs, service.drainTimeoutMs - spentMs()), service.stopTimeoutMs, isHurried);
  else await child.stop(service.stopTimeoutMs);
  return asked === "safe" || asked === "unanswered" ? 0 : asked.open;
}

/** An answer that does not come at all is no reason to believe that nothing is open. */
async function askUntilSafe(child: Child, door: OwnDoor, path: string, deadline: AbortSignal, deadlineMs: number): Promise<"safe" | "unanswered" | { readonly open: number }> {
  let open: number | null = null;
  for (let hasEnded = false; !hasEnded; hasEnded = await pause(child.exited, deadline)) {
    const answer = await askOnce(door, path, deadline, deadlineMs);
    if (answer?.safeToStop === true) return "safe";
    // Its answers may have to wait behind others; what it said before still counts.
    if (answer === null && open === null) return "unanswered";
    open = answer?.open ?? open ?? 0;
    if (deadline.aborted) return { open: Math.max(1, open) };
  }
  return "safe";
}

async function askOnce({ port, token }: OwnDoor, path: string, deadline: AbortSignal, deadlineMs: number): Promise<{ readonly safeToStop: boolean; readonly open: number } | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ deadlineMs }), redirect: "manual", signal: AbortSignal.any([AbortSignal.timeout(answerWithinMs), deadline]),
    });
    const answer = (await response.json()) as { readonly safeToStop?: unknown; readonly open?: unknown };
    if (!response.ok || typeof answer.safeToStop !== "boolean") return null;
    return { safeToStop: answer.safeToStop, open: typeof answer.open === "number" ? answer.open : 0 };
  } catch {
    return null;
  }
}

async function stopWithin(child: Child, timeoutMs: number, hurriedMs: number, isHurried: AbortSignal): Promise<void> {
  const ended = child.stop(timeoutMs);
  const hurry = (): void => void child.stop(hurriedMs);
  isHurried.addEventListener("abort", hurry);
  if (isHurried.aborted) hurry();
  await ended;
  isHurried.removeEventListener("abort", hurry);
}

/** True if it has ended. */
async function pause(ended: Promise<unknown>, deadline: AbortSignal): Promise<boolean> {
  let done: (() => void) | undefined;
  const over = new Promise<boolean>((resolve) => (done = () => resolve(false)));
  const timer = setTimeout(done!, pollMs);
  deadline.addEventListener("abort", done!, { once: true });
  const hasEnded = await Promise.race([over, ended.then(() => true)]);
  clearTimeout(timer);
  deadline.removeEventListener("abort", done!);
  return hasEnded;
}
