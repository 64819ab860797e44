import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

export interface ProbeResult {
  /** When the first right answer was there, in ms of `performance.now()`. */
  readonly atMs: number;
  readonly probes: number;
  /** Probes that got no connection, or lost it. */
  readonly failed: number;
  /** The longest time in which nothing was answered, in ms. */
  readonly silentMs: number;
  /** Half of all probes followed the one before within this many ms. */
  readonly everyMs: number;
}

/** Sleeps precisely, which timers of an event loop cannot: they count in whole milliseconds. */
const ticker = `
const { parentPort, workerData } = require("node:worker_threads");
const isOn = new Int32Array(workerData.isOn);
const nothing = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(isOn, 0, 0);
  Atomics.wait(nothing, 0, 0, workerData.everyMs);
  parentPort.postMessage(null);
}`;

/** Asks one app the same question again and again, over one kept connection, until the answer is the one that is waited for. */
export class Prober {
  readonly #port: number;
  readonly #giveUpMs: number;
  readonly #isOn = new Int32Array(new SharedArrayBuffer(4));
  readonly #ticker: Worker;
  #socket: Socket | null = null;
  #isOpen = false;
  #isAsking = false;
  #rest = "";
  #question = "";
  #onAnswer: (answer: string) => void = () => {};
  #probes = 0;
  #failed = 0;
  #askedMs: number[] = [];
  #lastAnswerMs = 0;
  /** When the question was asked, or the connection begun, that nothing came of yet. */
  #sinceMs = 0;
  #silentMs = 0;

  /** @param giveUpMs after so long without an answer a connection is given up. Default: 2000, when a user is gone */
  constructor(port: number, giveUpMs = 2000, everyMs = 0.4) {
    this.#port = port;
    this.#giveUpMs = giveUpMs;
    this.#ticker = new Worker(ticker, { eval: true, workerData: { isOn: this.#isOn.buffer, everyMs } });
    this.#ticker.on("message", () => this.#tick());
  }

  /** Rejects when no such answer came in time. */
  async waitFor(path: string, expected: string, withinMs = 30_000): Promise<ProbeResult> {
    this.#question = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    this.#probes = 0;
    this.#failed = 0;
    this.#askedMs = [];
    this.#lastAnswerMs = performance.now();
    this.#silentMs = 0;
    let last = "nothing";
    let timer: NodeJS.Timeout | undefined;
    try {
      const atMs = await new Promise<number>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`${path} did not answer ${expected} within ${withinMs} ms, but ${last}`)), withinMs);
        this.#onAnswer = (answer) => {
          last = answer;
          if (answer === expected) resolve(performance.now());
        };
        Atomics.store(this.#isOn, 0, 1);
        Atomics.notify(this.#isOn, 0);
        this.#tick();
      });
      const gaps = this.#askedMs.slice(1).map((ms, i) => ms - (this.#askedMs[i] ?? 0)).sort((a, b) => a - b);
      return { atMs, probes: this.#probes, failed: this.#failed, silentMs: this.#silentMs, everyMs: gaps[Math.floor(gaps.length / 2)] ?? 0 };
    } finally {
      Atomics.store(this.#isOn, 0, 0);
      this.#onAnswer = () => {};
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await this.#ticker.terminate();
  }

  #tick(): void {
    if (Atomics.load(this.#isOn, 0) === 0) return;
    if (this.#socket === null) return this.#open();
    const nowMs = performance.now();
    // Nobody will answer any more: a connection that was handed to a process that ended, say.
    if ((this.#isAsking || !this.#isOpen) && nowMs - this.#sinceMs > this.#giveUpMs) this.#socket.destroy();
    if (this.#isAsking || !this.#isOpen) return;
    this.#sinceMs = nowMs;
    this.#isAsking = true;
    this.#probes += 1;
    this.#askedMs.push(nowMs);
    this.#socket.write(this.#question);
  }

  #open(): void {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#sinceMs = performance.now();
    this.#rest = "";
    socket.once("connect", () => {
      this.#isOpen = true;
      this.#tick();
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
    socket.once("close", () => {
      // A connection that could not be opened is a question that nobody heard.
      if (this.#isAsking || !this.#isOpen) this.#failed += 1;
      this.#isAsking = false;
      this.#isOpen = false;
      this.#socket = null;
    });
  }

  #read(chunk: Buffer): void {
    this.#rest += chunk.toString("latin1");
    const head = this.#rest.indexOf("\r\n\r\n");
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#rest.slice(0, head))?.[1] ?? 0);
    if (this.#rest.length < head + 4 + length) return;
    const answer = this.#rest.slice(head + 4, head + 4 + length);
    this.#rest = this.#rest.slice(head + 4 + length);
    this.#isAsking = false;
    const nowMs = performance.now();
    this.#silentMs = Math.max(this.#silentMs, nowMs - this.#lastAnswerMs);
    this.#lastAnswerMs = nowMs;
    this.#onAnswer(answer);
  }
}
