/** What a URL answered, or why it did not. */
export type Asked =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "silent"; readonly because: string };

export interface AskOptions {
  readonly timeoutMs: number;
  /** More is not read, and counts as no answer. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** GETs a URL within bounds of time and size; redirects are not followed. Never rejects. */
export async function ask(url: string | URL, { timeoutMs, maxBytes, headers }: AskOptions): Promise<Asked> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { signal: late, redirect: "manual", ...(headers !== undefined && { headers }) });
    let text = "";
    let bytes = 0;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) return { kind: "silent", because: `its answer has more than ${maxBytes} bytes` };
      text += decoder.decode(chunk, { stream: true });
    }
    return { kind: "answered", status: response.status, text: text + decoder.decode() };
  } catch (problem) {
    return { kind: "silent", because: late.aborted ? `it did not answer within ${timeoutMs / 1000} s` : causeOf(problem) };
  }
}

function causeOf(problem: unknown): string {
  const cause = problem instanceof Error ? (problem.cause ?? problem) : problem;
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === "string" ? code : typeof message === "string" && message !== "" ? message.slice(0, 200) : "it could not be asked";
}
