import type { ControlEvent } from "@midflight/control";
import { renderEvent } from "../../packages/midflight/src/view/event-view.ts";
import type { Paper } from "./paper.ts";

/** What control tells, as far as the tour passes it on. */
export interface News {
  readonly tell: (event: ControlEvent) => void;
  /** From now on everything is told; until then, only what nobody expects. */
  tellAll(): void;
}

/** During the story; the rest it tells itself. */
const unexpected: readonly ControlEvent["kind"][] = ["process-failed", "process-replacing", "process-refused", "boot-failed-twice"];
/** At no time: the end is told by other words. */
const untold: readonly ControlEvent["kind"][] = ["stopping", "live"];

export function createNews(paper: Paper): News {
  let isAll = false;
  return {
    tell: (event) => {
      const isTold = isAll ? !untold.includes(event.kind) : unexpected.includes(event.kind);
      if (isTold) paper.print(...renderEvent(event, paper.pane));
    },
    tellAll: () => {
      isAll = true;
    },
  };
}
