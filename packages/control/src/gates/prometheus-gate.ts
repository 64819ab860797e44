import { asArray, asOneOf, asRecord, asString } from "@midflight/protocol";
import { ask } from "./ask.ts";
import type { Judged } from "./request-gates.ts";

/** A query whose answer tells whether all is well. */
export interface PrometheusQuery {
  /** Of the server: its HTTP API is below, at `/api/v1`. */
  readonly url: string;
  /** PromQL that gives a scalar or a vector. `$wave` stands for a pattern of the wave's processes: `web-1|web-2`. */
  readonly query: string;
  /** No value may be higher. */
  readonly max: number;
  /** The environment variable that holds a bearer token; null: none is sent. */
  readonly tokenVariable: string | null;
}

const prometheusTimeoutMs = 5000;
const maxBytes = 1 << 20;

export interface PrometheusOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the query; the answer may take a second more. Default: 5,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks a Prometheus server (HTTP API, instant query). Only numbers count: no series, NaN, an error, or silence are no data, and no data is
 * no success. Of several series the highest is judged.
 */
export async function judgeByPrometheus({ url, query, max, tokenVariable }: PrometheusQuery, wave: readonly string[], { environment, timeoutMs = prometheusTimeoutMs }: PrometheusOptions): Promise<Judged> {
  const at = new URL(`${url.replace(/\/+$/, "")}/api/v1/query`);
  at.searchParams.set("query", query.replaceAll("$wave", patternOf(wave)));
  at.searchParams.set("timeout", `${timeoutMs}ms`);
  const token = tokenVariable === null ? null : (environment[tokenVariable] ?? "");
  const on = at.origin;
  const judged = (kind: Judged["kind"], because: string, value: number | null, samples: number): Judged => ({ kind, because, finding: { metric: "prometheus", value, limit: max, samples, on } });
  if (token === "") return judged("inconclusive", `prometheus: the variable ${tokenVariable} is not set`, null, 0);
  const asked = await ask(at, { timeoutMs: timeoutMs + 1000, maxBytes, headers: { accept: "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) } });
  if (asked.kind === "silent") return judged("inconclusive", `prometheus: ${on} gave no answer: ${asked.because}`, null, 0);
  const read = readAnswer(asked.text);
  if (read.kind === "problem") return judged("inconclusive", `prometheus: ${on} answered ${asked.status}: ${read.because}`, null, 0);
  const numbers = read.values.filter(({ value }) => !Number.isNaN(value) && value !== -Infinity);
  // A series that is not a number hides what it would have said.
  const [worst] = numbers.toSorted((a, b) => b.value - a.value);
  if (worst !== undefined && worst.value > max) return judged("failed", `prometheus: ${worst.value}, limit ${max}${worst.name === "" ? "" : ` for ${worst.name}`}: ${query}`, worst.value, numbers.length);
  if (worst === undefined || numbers.length < read.values.length) {
    const because = read.values.length === 0 ? "no series" : `${read.values.length - numbers.length} of ${read.values.length} values that are no numbers`;
    return judged("inconclusive", `prometheus: the query gave ${because}: ${query}`, worst?.value ?? null, numbers.length);
  }
  return judged("ok", `prometheus: ${worst.value}, limit ${max}: ${query}`, worst.value, numbers.length);
}

type Read =
  | { readonly kind: "values"; readonly values: readonly { readonly name: string; readonly value: number }[] }
  | { readonly kind: "problem"; readonly because: string };

/** https://prometheus.io/docs/prometheus/latest/querying/api/ */
function readAnswer(text: string): Read {
  try {
    const answer = asRecord(JSON.parse(text), "answer");
    if (answer["status"] !== "success") return { kind: "problem", because: [answer["errorType"], answer["error"]].filter((part) => typeof part === "string").join(": ").slice(0, 300) || "an error without a reason" };
    const data = asRecord(answer["data"], "data");
    const type = asOneOf(data["resultType"], ["vector", "scalar", "matrix", "string"], "data.resultType");
    if (type === "scalar") return { kind: "values", values: [{ name: "", value: valueOf(data["result"]) }] };
    if (type !== "vector") return { kind: "problem", because: `the query gives a ${type}, not a scalar or a vector` };
    const values = asArray(data["result"], "data.result").map((one) => {
      const series = asRecord(one, "series");
      return { name: nameOf(asRecord(series["metric"] ?? {}, "metric")), value: valueOf(series["value"]) };
    });
    return { kind: "values", values };
  } catch {
    return { kind: "problem", because: "this is not what the API of Prometheus answers" };
  }
}

/** `[time, "value"]`, with `NaN`, `+Inf` and `-Inf` as the server writes them. */
function valueOf(sample: unknown): number {
  const text = asString(asArray(sample, "sample", 2)[1], "value", 100);
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : text.trim() === "" ? NaN : Number(text);
}

function nameOf(metric: Readonly<Record<string, unknown>>): string {
  const labels = Object.entries(metric).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return labels.length === 0 ? "" : `{${labels.join(", ")}}`.slice(0, 200);
}

/** For `=~`: RE2, inside of a PromQL string. */
function patternOf(wave: readonly string[]): string {
  return wave.map((target) => target.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&")).join("|");
}
