import { parseErrorLimit, parseLatencyLimit } from "../gates/limit.ts";
import type { Gates } from "../gates/open-gates.ts";
import { checkNumber, type ConfigReader } from "./config-reader.ts";

const queryKeys = ["url", "query", "max", "token"];

/** `rollout.gates`. What is not named is no gate. @throws MidflightError `CONFIG_INVALID` */
export function parseGates(reader: ConfigReader, value: unknown, serviceNames: readonly string[]): Gates {
  const gates = reader.record(value === undefined ? {} : value, "rollout.gates", ["errors", "p99", "minRequests", "services", "prometheus", "health"]);
  const errors = reader.value<string | null>(gates, "rollout.gates.errors", null, checkLimit(parseErrorLimit, '"1%" or "2x"'));
  const p99 = reader.value<string | null>(gates, "rollout.gates.p99", null, checkLimit(parseLatencyLimit, '"250ms", "1.5s" or "1.3x"'));
  const minRequests = reader.value(gates, "rollout.gates.minRequests", 100, checkNumber(10, 10_000_000));
  const services = reader.value<readonly string[] | null>(gates, "rollout.gates.services", null, checkServices(serviceNames));
  const health = toList(reader.value<string | readonly string[]>(gates, "rollout.gates.health", [], checkUrls));
  return { errors: errors === null ? null : parseErrorLimit(errors), p99: p99 === null ? null : parseLatencyLimit(p99), minRequests, services, health, prometheus: parseQueries(reader, gates["prometheus"]) };
}

function parseQueries(reader: ConfigReader, value: unknown): Gates["prometheus"] {
  const path = "rollout.gates.prometheus";
  reader.note(path, value === undefined ? null : value, value === undefined ? "default" : reader.file);
  return (value === undefined ? [] : toList(value)).map((one) => {
    const { url, query, max, token } = reader.record(one, path, queryKeys);
    if (!isUrl(url)) reader.fail(`${path}.url`, "is not a URL that begins with http:// or https://");
    if (typeof query !== "string" || query.trim() === "") reader.fail(`${path}.query`, "is not a text");
    if (typeof max !== "number" || !Number.isFinite(max)) reader.fail(`${path}.max`, "is not a number");
    if (token !== undefined && !(typeof token === "string" && /^env:[A-Za-z_]\w*$/.test(token))) reader.fail(`${path}.token`, "is not env: and a variable");
    return { url, query, max, tokenVariable: token === undefined ? null : token.slice("env:".length) };
  });
}

function checkLimit(parse: (text: string) => unknown, forms: string): (value: unknown) => string | null {
  return (value) => (typeof value === "string" && parse(value) !== null ? null : `is not of the form ${forms}`);
}

function checkServices(names: readonly string[]): (value: unknown) => string | null {
  return (value) => (Array.isArray(value) && value.length > 0 && value.every((name) => names.includes(name as string)) ? null : `is not a list of services (${names.join(", ")})`);
}

function checkUrls(value: unknown): string | null {
  return toList(value).every(isUrl) ? null : "is not a URL that begins with http:// or https://, nor a list of them";
}

function isUrl(value: unknown): value is string {
  return typeof value === "string" && /^https?:\/\/./.test(value) && URL.canParse(value);
}

function toList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
