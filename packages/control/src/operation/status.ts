import { appliesTo, type Beat, type ReleaseId } from "@midflight/protocol";
import { isRolloutOpen } from "@midflight/publisher";
import { readRollout } from "../rollout/record.ts";
import type { RolloutState } from "../rollout/state.ts";
import type { Connection } from "./connect.ts";
import { figuresOf, type Figures } from "./figures.ts";
import { isPresent, readFleet, type Member } from "./fleet.ts";
import { readHistory, type History, type ReleaseRecord } from "./history.ts";

export interface ServiceStatus {
  readonly service: string;
  readonly members: readonly Member[];
  readonly confirmed: number;
  /** What its processes measured of their requests, by the release that is live in them. */
  readonly figures: readonly Figures[];
}

export interface Status {
  readonly app: string;
  readonly channel: string;
  /** What the newest assign for all processes names: a release whose waves go on is not live yet. Null before the first deploy. */
  readonly live: ReleaseRecord | null;
  /** ISO 8601: when that assign was made. */
  readonly since: string | null;
  /** `healthy`: every process that should run runs the live release. `rolling`: so they do, or the next one by its waves. `drifted`: so they say, but somebody else changed code in one. */
  readonly health: "healthy" | "rolling" | "drifted" | "moving" | "mixed" | "down" | "empty";
  readonly services: readonly ServiceStatus[];
  readonly numbers: ReadonlyMap<ReleaseId, number>;
  /** The rollout by waves that goes on, or the last one as long as what it led to is live; null: none. */
  readonly rollout: RolloutState | null;
}

export async function readStatus(connection: Connection, history?: History): Promise<Status> {
  const { config } = connection;
  const known = history ?? (await readHistory(connection));
  const numbers = new Map(known.releases.map((record) => [record.id, record.number]));
  const forAll = known.assigns.find((assign) => assign.targets.kind === "all") ?? known.head;
  const live = known.releases.find((record) => record.id === forAll?.release) ?? null;
  const members = known.head === null ? [] : await readFleet(connection, (target) => known.assigns.find((assign) => appliesTo(assign.targets, target)) ?? null);
  const last = readRollout(connection.layout);
  const rollout = last !== null && (known.head?.wave?.rollout === last.rollout || known.head?.counter === last.counter) ? last : null;
  const names = [...new Set([...config.services.map((service) => service.name), ...members.map((member) => member.service)])];
  const services = names.map((service) => {
    const own = members.filter((member) => member.service === service);
    const figures = figuresOf(own.flatMap(({ beat }) => (beat === null ? [] : [beat])));
    return { service, members: own, confirmed: own.filter((member) => member.standing === "confirmed").length, figures };
  });
  return { app: config.app, channel: config.channel, live, since: forAll?.issuedAt ?? null, health: healthOf(members, isRolloutOpen(known.head)), services, numbers, rollout };
}

function healthOf(members: readonly Member[], isRolling: boolean): Status["health"] {
  if (members.length === 0) return "empty";
  if (members.every((member) => member.standing === "absent")) return "down";
  if (members.every((member) => member.standing === "confirmed")) return members.some(({ beat }) => beat?.drift !== undefined) ? "drifted" : isRolling ? "rolling" : "healthy";
  return members.some((member) => member.standing === "moving") ? "moving" : "mixed";
}

/** Every agent that speaks now: processes, their threads and their children. */
export async function readPresence(connection: Connection): Promise<readonly Beat[]> {
  const beats = await connection.registry.presence(connection.config.channelName);
  return beats.filter(isPresent).sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
}
