import { maxJsonBytes } from "@midflight/protocol";

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Splits a server-sent event stream into its events (WHATWG HTML §9.2, as far as a registry uses it: LF line ends,
 * fields `event` and `data`; `id` is repeated in the data, comments keep the stream alive).
 * @throws Error for an event that is longer than any that a registry sends
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent, void, void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    const searchFrom = Math.max(0, text.length - 1);
    text += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n\n", searchFrom); end !== -1; end = text.indexOf("\n\n", start)) {
      const event = parseEvent(text.slice(start, end));
      start = end + 2;
      if (event !== null) yield event;
    }
    text = text.slice(start);
    if (text.length > maxJsonBytes) throw new Error("An event is longer than a registry sends.");
  }
}

function parseEvent(block: string): ServerEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length === 0 ? null : { event, data: data.join("\n") };
}
