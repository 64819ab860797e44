import type { SupervisorPaths } from "../service.ts";
import { openHolder, type Holder } from "./connect-holder.ts";

/** The holder of a project, and another one if it is lost. */
export interface HolderKeeper {
  /** @throws MidflightError `INTERNAL` */
  holder(): Promise<Holder>;
  /** It ends by itself when it has no processes. */
  close(): Promise<void>;
}

export function keepHolder(paths: Pick<SupervisorPaths, "root" | "log">): HolderKeeper {
  let opening: Promise<Holder> | null = null;
  const next = async (former: Promise<Holder> | null): Promise<Holder> => {
    const known = await former?.catch(() => null);
    return known?.isThere === true ? known : await openHolder(paths);
  };
  return {
    // One after the other, so that two that miss it do not both start one.
    holder: () => (opening = next(opening)),
    close: async () => (await opening?.catch(() => null))?.close(),
  };
}
