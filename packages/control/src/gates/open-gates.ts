import type { Registry } from "@midflight/protocol";
import type { Gate, GateVerdict } from "./gate.ts";
import { judgeByHealth } from "./health-gate.ts";
import type { Limit } from "./limit.ts";
import { judgeByPrometheus, type PrometheusQuery } from "./prometheus-gate.ts";
import { judgeRequests, type Judged } from "./request-gates.ts";
import { RequestWindow } from "./request-window.ts";

/** What a rollout is held against, as the configuration has it. */
export interface Gates {
  readonly errors: Limit | null;
  readonly p99: Limit | null;
  readonly minRequests: number;
  /** Services whose errors and latencies are judged; null: all. */
  readonly services: readonly string[] | null;
  readonly prometheus: readonly PrometheusQuery[];
  readonly health: readonly string[];
}

export interface GatesOptions {
  readonly gates: Gates;
  readonly registry: Pick<Registry, "presence">;
  readonly channel: string;
  /** Where tokens are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Epoch ms. Default: the clock. */
  readonly now?: () => number;
}

/** How often processes are listened to while nothing is asked. */
const noteMs = 5000;

/** Puts the gates of a configuration together; null if it names none. `close` ends what listens in between. */
export function openGates({ gates, registry, channel, environment, now = Date.now }: GatesOptions): (Gate & { close(): void }) | null {
  const { errors, p99, minRequests, services, prometheus, health } = gates;
  const measures = errors !== null || p99 !== null;
  if (!measures && prometheus.length === 0 && health.length === 0) return null;
  const window = new RequestWindow(now);
  const note = (): void => void registry.presence(channel).then((beats) => window.note(beats), () => undefined);
  const timer = measures ? setInterval(note, noteMs).unref() : null;
  if (measures) note();
  return {
    judge: async (question) => {
      try {
        const [outside, beats] = await Promise.all([
          Promise.all([...prometheus.map((query) => judgeByPrometheus(query, question.wave, { environment })), ...health.map((url) => judgeByHealth(url))]),
          measures ? registry.presence(channel) : [],
        ]);
        const measured = measures ? judgeRequests(window.read(question, beats), { errors, p99, minRequests, services }) : [];
        if (measures && measured.length === 0) return verdictOf(outside, "no process of the wave has measured a request");
        return verdictOf([...measured, ...outside], null);
      } catch (problem) {
        return { kind: "inconclusive", findings: [], because: `gates could not look: ${problem instanceof Error ? problem.message : String(problem)}`.slice(0, 500) };
      }
    },
    close: () => {
      if (timer !== null) clearInterval(timer);
    },
  };
}

/** One that failed is enough; one that cannot tell is enough to wait. */
export function verdictOf(judged: readonly Judged[], missing: string | null): GateVerdict {
  const findings = judged.map(({ finding }) => finding);
  const say = (kind: GateVerdict["kind"]): string[] => judged.filter((one) => one.kind === kind).map(({ because }) => because);
  const failed = say("failed");
  if (failed.length > 0) return { kind: "failed", findings, because: failed.join("; ") };
  const open = [...(missing === null ? [] : [missing]), ...say("inconclusive")];
  return open.length > 0 ? { kind: "inconclusive", findings, because: open.join("; ") } : { kind: "ok", findings, because: null };
}
