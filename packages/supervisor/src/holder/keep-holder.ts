import type { SupervisorPaths } from "../service.ts";
import { openHolder, type Holder } from "./connect-holder.ts";

/** The holder of a project, and another one if it is lost. */
export interface HolderKeeper {
  /** @throws MidflightError `INTERNAL` */
  holder(): Promise<Holder>;
  /** It ends by itself when it has no processes. */
  close(): Promise<void>;
}

/** @param inherited how many listening sockets this process was started with, from descriptor 3 on. Default: none */
export function keepHolder(paths: Pick<SupervisorPaths, "root" | "log">, inherited = 0): HolderKeeper {
  let opening: Promise<Holder> | null = null;
  const next = async (former: Promise<Holder> | null): Promise<Holder> => {
    const known = await former?.catch(() => null);
    return known?.isThere === true ? known : await openHolder(paths, undefined, inherited);
  };
  return {
    // One after the other, so that two that miss it do not both start one.
    holder: () => (opening = next(opening)),
    close: async () => (await opening?.catch(() => null))?.close(),
  };
}
