import type { Beat, ReleaseId } from "@midflight/protocol";
import type { Connection } from "./connect.ts";
import { isPresent, readFleet, type Member } from "./fleet.ts";
import { readHistory, type History, type ReleaseRecord } from "./history.ts";

export interface ServiceStatus {
  readonly service: string;
  readonly members: readonly Member[];
  readonly confirmed: number;
}

export interface Status {
  readonly app: string;
  readonly channel: string;
  /** The release that the newest assign names; null before the first deploy. */
  readonly live: ReleaseRecord | null;
  /** ISO 8601: when the newest assign was made. */
  readonly since: string | null;
  /** `healthy`: every process that should run runs the live release. `drifted`: so they say, but somebody else changed code in one. */
  readonly health: "healthy" | "drifted" | "moving" | "mixed" | "down" | "empty";
  readonly services: readonly ServiceStatus[];
  readonly numbers: ReadonlyMap<ReleaseId, number>;
}

export async function readStatus(connection: Connection, history?: History): Promise<Status> {
  const { config } = connection;
  const known = history ?? (await readHistory(connection));
  const numbers = new Map(known.releases.map((record) => [record.id, record.number]));
  const live = known.releases.find((record) => record.id === known.head?.release) ?? null;
  const members = known.head === null ? [] : await readFleet(connection, known.head.release, known.head.counter);
  const names = [...new Set([...config.services.map((service) => service.name), ...members.map((member) => member.service)])];
  const services = names.map((service) => {
    const own = members.filter((member) => member.service === service);
    return { service, members: own, confirmed: own.filter((member) => member.standing === "confirmed").length };
  });
  return { app: config.app, channel: config.channel, live, since: known.head?.issuedAt ?? null, health: healthOf(members), services, numbers };
}

function healthOf(members: readonly Member[]): Status["health"] {
  if (members.length === 0) return "empty";
  if (members.every((member) => member.standing === "absent")) return "down";
  if (members.every((member) => member.standing === "confirmed")) return members.some(({ beat }) => beat?.drift !== undefined) ? "drifted" : "healthy";
  return members.some((member) => member.standing === "moving") ? "moving" : "mixed";
}

/** Every agent that speaks now: processes, their threads and their children. */
export async function readPresence(connection: Connection): Promise<readonly Beat[]> {
  const beats = await connection.registry.presence(connection.config.channelName);
  return beats.filter(isPresent).sort((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
}
