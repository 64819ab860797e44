import { agentTransitions, MidflightError, type AgentEvent, type AgentState } from "@midflight/protocol";

/** Walks `agentTransitions`. An event that the table does not know in the present state is a bug and throws. */
export class Machine {
  #state: AgentState = "starting";
  readonly #onChange: (state: AgentState) => void;

  constructor(onChange: (state: AgentState) => void) {
    this.#onChange = onChange;
  }

  get state(): AgentState {
    return this.#state;
  }

  /** @throws MidflightError `INTERNAL` */
  on(event: AgentEvent): void {
    const next = agentTransitions[this.#state][event];
    if (next === null) {
      throw new MidflightError("INTERNAL", {
        what: `The agent met "${event}" while it was ${this.#state}.`,
        state: "The app runs on with the code it has.",
        details: { event, state: this.#state },
      });
    }
    this.#enter(next);
  }

  /** After a bug: whatever the state, nothing is done any more. */
  halt(): void {
    if (this.#state !== "stopped") this.#enter("stopped");
  }

  #enter(state: AgentState): void {
    this.#state = state;
    this.#onChange(state);
  }
}
