import { StringDecoder } from "node:string_decoder";

export interface StreamedEvent {
  /** Empty when the server sent none. */
  readonly id: string;
  /** "message" when the server named none. */
  readonly type: string;
  readonly data: string;
}

/** Cuts bytes into server-sent events (WHATWG HTML, section 9.2.6). Comments and `retry` are passed over. */
export function createEventParser(onEvent: (event: StreamedEvent) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let id = "";
  let type = "";
  let data: string[] = [];

  const takeLine = (line: string): void => {
    if (line === "") {
      if (data.length > 0) onEvent({ id, type: type === "" ? "message" : type, data: data.join("\n") });
      type = "";
      data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") type = value;
    else if (field === "data") data.push(value);
  };

  return (chunk) => {
    rest += decoder.write(chunk);
    // A carriage return at the very end may be half of a line end: wait for what follows.
    const isHeld = rest.endsWith("\r");
    const lines = (isHeld ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + (isHeld ? "\r" : "");
    for (const line of lines) takeLine(line);
  };
}
