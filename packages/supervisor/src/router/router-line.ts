import net, { type Socket } from "node:net";
import { readLines } from "../read-lines.ts";
import type { RouterTable, Side } from "./table.ts";
import type { RouterAnswer, RouterCounts } from "./words.ts";

type Question = { readonly kind: "route"; readonly table: RouterTable } | { readonly kind: "settle"; readonly side: Side } | { readonly kind: "count" };

/** What a supervisor can ask of a router that runs. */
export interface RouterLine {
  /** Takes the table, whole and at once. @throws Error if the router is gone */
  route(table: RouterTable): Promise<void>;
  /** Resolves when nothing is under way to a side. @throws Error if the router is gone */
  settle(side: Side): Promise<void>;
  /** @throws Error if the router is gone */
  count(): Promise<RouterCounts>;
  close(): void;
}

/** @param control path of its Unix socket @throws Error if nobody listens there */
export async function connectRouter(control: string): Promise<RouterLine> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const connecting = net.connect(control);
    connecting.once("connect", () => resolve(connecting));
    connecting.once("error", reject);
  });
  const waiting = new Map<number, PromiseWithResolvers<RouterAnswer>>();
  let asked = 0;
  socket.on("error", () => undefined);
  readLines(socket, (line) => {
    const answer = JSON.parse(line) as RouterAnswer;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  socket.once("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the router is gone"));
    waiting.clear();
  });
  const ask = async (question: Question): Promise<RouterAnswer> => {
    if (socket.destroyed) throw new Error("the router is gone");
    const id = ++asked;
    const answer = Promise.withResolvers<RouterAnswer>();
    waiting.set(id, answer);
    socket.write(`${JSON.stringify({ ...question, id })}\n`);
    return await answer.promise;
  };
  return {
    route: async (table) => void (await ask({ kind: "route", table })),
    settle: async (side) => void (await ask({ kind: "settle", side })),
    count: async () => {
      const answer = await ask({ kind: "count" });
      return answer.kind === "counted" ? answer.counts : Promise.reject(new Error("the router answered something else"));
    },
    close: () => void socket.destroy(),
  };
}
