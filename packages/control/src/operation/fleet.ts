import os from "node:os";
import type { Assign, Beat, ErrorCode, Report, SwapOutcome } from "@midflight/protocol";
import { identify, readProcessRecords, type ProcessRecord } from "@midflight/supervisor";
import { isDevelopment, targetsOf, type ResolvedConfig } from "../config/resolved-config.ts";
import type { Connection } from "./connect.ts";

/** What one process is doing about a release. */
export type Standing =
  /** It reads back the release as live. */
  | "confirmed"
  | "moving"
  | "refused"
  | "reverted"
  /** Its code is of no known release; it never changes. */
  | "unregistered"
  /** It should run and does not. */
  | "absent";

export interface Member {
  readonly target: string;
  readonly service: string;
  readonly standing: Standing;
  readonly beat: Beat | null;
  readonly record: ProcessRecord | null;
  /** What became of the assign in it, if it has said so. */
  readonly outcome: SwapOutcome | null;
  /** Why it is not confirmed; null if it is. */
  readonly because: string | null;
}

export interface FleetInput {
  /** What a process of this name has to follow; null: nothing. */
  readonly assigned: (target: string) => Pick<Assign, "release" | "counter" | "wave"> | null;
  readonly beats: readonly Beat[];
  readonly reports: readonly Report[];
  readonly records: readonly ProcessRecord[];
  /** False: a process that is still on probation has not confirmed yet. */
  readonly countsProbation: boolean;
  /** Target to service, of every process that should run. */
  readonly expected: ReadonlyMap<string, string>;
}

/** Judges every process that is there or should be. Pure: the same facts give the same answer. */
export function judgeFleet(input: FleetInput): Member[] {
  const beats = newestPerTarget(input.beats);
  const names = [...new Set([...input.expected.keys(), ...beats.keys()])];
  return names.map((target) => judge(target, beats.get(target) ?? null, input));
}

/** A process that was replaced is remembered for a while; its successor's word counts. */
function newestPerTarget(beats: readonly Beat[]): Map<string, Beat> {
  const newest = new Map<string, Beat>();
  for (const beat of beats) {
    const other = newest.get(beat.target);
    if (other === undefined || beat.startedAt > other.startedAt) newest.set(beat.target, beat);
  }
  return newest;
}

function judge(target: string, beat: Beat | null, input: FleetInput): Member {
  const assigned = input.assigned(target);
  const record = input.records.find((one) => one.target === target) ?? null;
  const report = input.reports.find((one) => one.from.agent === beat?.agent && one.counter === assigned?.counter) ?? null;
  const outcome = report?.outcome ?? null;
  const service = beat?.service ?? record?.service ?? input.expected.get(target) ?? "";
  const as = (standing: Standing, because: string | null): Member => ({ target, service, standing, beat, record, outcome, because });
  if (beat === null || (record !== null && record.phase === "waiting")) return as("absent", absence(record));
  if (beat.state === "unregistered") return as("unregistered", "its code is of no known release");
  // A process that control starts counts when it serves, not when its agent speaks.
  if (record !== null && record.phase !== "ready") return as("moving", absence(record));
  if (assigned === null) return as("moving", "nothing is assigned to it");
  // Later waves of a rollout assign the same again: who obeyed an earlier one has nothing left to show.
  const isLive = beat.live === assigned.release && beat.counter >= (assigned.wave?.rollout ?? assigned.counter);
  if (isLive && (input.countsProbation || beat.state !== "probation")) return as("confirmed", null);
  // Control plans a way that is missing, and starts a process anew where a swap cannot do.
  const isHelped = outcome?.kind === "refused" && record !== null && helpedByControl.includes(outcome.code);
  if (outcome?.kind === "refused" && !isHelped) return as("refused", `${outcome.code}: ${outcome.reason}`);
  if (outcome?.kind === "reverted") return as("reverted", `${outcome.code}: ${outcome.reason}`);
  if (beat.state === "stopped") return as("refused", "its agent has stopped");
  return as("moving", isHelped ? (outcome.code === "TRANSITION_MISSING" ? "waits for a way there" : "waits for a new process to take over") : beat.state);
}

const helpedByControl: readonly ErrorCode[] = ["REPLACE_NEEDED", "REQUESTS_OVERDUE", "TRANSITION_MISSING"];

function absence(record: ProcessRecord | null): string {
  if (record === null) return "not started; if the configuration names it only now, start midflight up again";
  if (record.phase === "waiting") return record.lastFailure?.split("\n")[0] ?? "ended";
  if (record.phase === "replacing") return "serves, while its successor starts beside it";
  return record.phase === "starting" ? "is starting" : record.phase;
}

/** How those stand that have not confirmed, in one sentence. */
export function describeOpen(members: readonly Member[]): string {
  const open = members.filter((member) => member.standing !== "confirmed");
  return open.map((member) => `${member.target} ${member.standing}${member.because === null ? "" : `: ${member.because}`}`).join("; ");
}

/** Every process that the configuration asks for. */
export function expectedTargets(config: ResolvedConfig): ReadonlyMap<string, string> {
  return new Map(config.services.flatMap((service) => targetsOf(service).map((target) => [target, service.name] as const)));
}

/** Judges the fleet as the registry and control know it now. @param assigned what a process of this name has to follow */
export async function readFleet({ registry, config, layout }: Pick<Connection, "registry" | "config" | "layout">, assigned: FleetInput["assigned"]): Promise<Member[]> {
  const channel = config.channelName;
  const expected = expectedTargets(config);
  const beats = await registry.presence(channel);
  const counters = new Set([...expected.keys(), ...beats.map(({ target }) => target)].flatMap((target) => assigned(target)?.counter ?? []));
  const reports = (await Promise.all([...counters].map((counter) => registry.reports({ channel, counter })))).flat();
  return judgeFleet({ assigned, beats: beats.filter(isPresent), reports, records: readProcessRecords(layout), countsProbation: isDevelopment(config), expected });
}

/** A beat outlives its process for some seconds; on this host we can look. */
export function isPresent(beat: Beat): boolean {
  return beat.host !== os.hostname() || identify(beat.pid) !== null;
}
