import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatDurationMs } from "../src/output/duration.ts";
import { toAscii } from "../src/output/symbols.ts";
import { renderTable } from "../src/output/table.ts";
import { displayWidth, hanging, toPlainLine, wrap } from "../src/output/text.ts";

describe("text", () => {
  test("wrapping never exceeds the width and never drops a character", () => {
    const text = "src/a.js  needs a new process: averyveryverylongwordthatdoesnotfitanywhere at all, ünïcödé 日本語 🫖 end";
    for (const width of [8, 12, 20, 40, 80]) {
      const lines = wrap(text, width);
      for (const line of lines) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
      assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
    }
  });

  test("runs of spaces between words stay as they are within a line", () => {
    assert.deepEqual(wrap("  a   b", 20), ["  a   b"]);
  });

  test("a hanging text is indented under itself", () => {
    assert.deepEqual(hanging("Why", 6, "one two three four", 16), ["Why   one two", "      three four"]);
  });

  test("text from outside carries no escape, no line break and no direction override", () => {
    assert.equal(toPlainLine("\u001b[31mred\u001b[0m\r\nnext\u202eback\u0007"), "red next back");
  });

  test("wide characters count as two columns, colour as none", () => {
    assert.equal(displayWidth("日本"), 4);
    assert.equal(displayWidth("\u001b[32m✔\u001b[39m ok"), 4);
  });

  test("durations carry their unit, from parts of a millisecond to days", () => {
    assert.deepEqual([0, 0.42, 4, 99, 940, 12_000, 134_000, 11_100_000, 800_000_000].map(formatDurationMs), ["0 ms", "0.4 ms", "4 ms", "99 ms", "0.9 s", "12 s", "2 m 14 s", "3 h 5 m", "9 d"]);
  });

  test("our signs have a plain form for locales without UTF-8", () => {
    // oxlint-disable-next-line no-control-regex
    assert.match(toAscii("✔ ● ◆ ▲ ■ → ⠋ … · – ↩ ○ │"), /^[\u0000-\u007f]+$/);
  });
});

describe("tables", () => {
  const columns = [{ title: "PROCESS" }, { title: "PID", align: "right" }, { title: "NOTE" }] as const;
  const rows = [["web-1", "4242", "http://127.0.0.1:3000"], ["worker-12", "7", "is starting"]];

  test("columns line up, numbers to the right", () => {
    assert.deepEqual(renderTable(columns, rows, 80), ["PROCESS     PID  NOTE", "web-1      4242  http://127.0.0.1:3000", "worker-12     7  is starting"]);
  });

  test("where a row does not fit it becomes a card, and nothing is dropped", () => {
    const lines = renderTable(columns, rows, 30);
    for (const line of lines) assert.ok(displayWidth(line) <= 30, line);
    const text = lines.join("\n").replaceAll(/\s+/g, "");
    for (const cell of rows.flat()) assert.ok(text.includes(cell.replaceAll(" ", "")), cell);
  });
});
