import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { findSourceMap } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { UnitOps } from "@midflight/protocol";
import { Instance } from "../../src/runtime/instance.ts";
import type { OverlayUnit } from "../../src/runtime/overlay.ts";
import { frameName } from "../../src/runtime/placed.ts";
import { SourceMaps } from "../../src/runtime/source-maps.ts";
import { hash } from "../support/live-units.ts";

/** Line 1 of the text is line 100 of `src/price.ts`. */
const bytes = (n: number): Uint8Array => Buffer.from(JSON.stringify({ version: 3, names: [], sources: ["../src/price.ts"], sourcesContent: [String(n)], mappings: "AAmGA" }));

function textOf(n: number, link = "price.js.map"): OverlayUnit {
  const text = `f(${n});\n//# sourceMappingURL=${link}`;
  const ops: UnitOps = { unit: "dist/price.js", birth: "", artifact: hash(text), imports: [], cells: [], bodies: [], members: [], removals: [] };
  return { birth: hash(""), ops, text, map: { digest: hash(bytes(n)), bytes: bytes(n) } };
}

describe("the source map of a newer text", () => {
  let directory: string;
  const wasEnabled = process.sourceMapsEnabled;
  before(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), "midflight-maps-"));
    process.setSourceMapsEnabled(true);
  });
  after(() => {
    process.setSourceMapsEnabled(wasEnabled);
    rmSync(directory, { recursive: true, force: true });
  });
  let serial = 0;
  // oxlint-disable-next-line no-eval -- doors are evals: what Node makes of text that is compiled so is what is tested
  const door = (code: string): unknown => (0, eval)(code);
  const instance = (): Instance => new Instance("dist/price.js", "", pathToFileURL(path.join(directory, `dist/price${serial++}.js`)).href, door);
  const lineOf = (name: string): number | undefined => {
    const found = findSourceMap(name)?.findEntry(0, 0);
    return found !== undefined && "originalLine" in found ? found.originalLine + 1 : undefined;
  };

  for (const [place, root] of [["from a file beside that of the boot text", true], ["from the comment where no file can be written", false]] as const) {
    test(`is told to Node, ${place}`, async () => {
      const maps = new SourceMaps(root ? directory : null);
      const on = instance();
      const unit = textOf(root ? 1 : 5);
      await maps.write([unit]);
      maps.tell(on, unit);
      assert.equal(lineOf(frameName(on, unit.ops.artifact)!), 100);
      const { originalSource } = findSourceMap(frameName(on, unit.ops.artifact)!)!.findEntry(0, 0) as { originalSource: string };
      assert.equal(originalSource, pathToFileURL(path.join(directory, "src/price.ts")).href);
      assert.equal(existsSync(path.join(directory, `dist/price.js.mf-${unit.map!.digest.slice(7, 19)}.map`)), root);
    });
  }

  test("is read anew when another release has the same text and another map", async () => {
    const maps = new SourceMaps(directory);
    const on = instance();
    const unit = textOf(2);
    const moved = { ...unit, map: { digest: hash("moved"), bytes: Buffer.from(Buffer.from(bytes(2)).toString().replace("AAmGA", "AAoGA")) } };
    for (const [next, line] of [[unit, 100], [moved, 101], [unit, 100]] as const) {
      await maps.write([next]);
      maps.tell(on, next);
      assert.equal(lineOf(frameName(on, unit.ops.artifact)!), line);
    }
  });

  test("is let go, with its file, when three newer ones have come", async () => {
    const maps = new SourceMaps(directory);
    const on = instance();
    const units = Array.from({ length: 50 }, (_, n) => textOf(n + 10));
    const files = (): number => readdirSync(path.join(directory, "dist")).filter((name) => units.some(({ map }) => name.includes(map!.digest.slice(7, 19)))).length;
    for (const unit of units) {
      await maps.write([unit]);
      maps.tell(on, unit);
    }
    const lines = units.map(({ ops }) => lineOf(frameName(on, ops.artifact)!));
    assert.deepEqual(lines, units.map((_, at) => (at < 46 ? undefined : 100)));
    assert.equal(on.mapped.size, 4);
    while (files() > 4) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(files(), 4);
  });

  test("is not told where it lies outside the release, or Node does not follow maps", async () => {
    const maps = new SourceMaps(directory);
    const on = instance();
    const outside = textOf(3, "../../outside.js.map");
    await maps.write([outside]);
    maps.tell(on, outside);
    assert.equal(findSourceMap(frameName(on, outside.ops.artifact)!), undefined);
    process.setSourceMapsEnabled(false);
    const unit = textOf(4);
    maps.tell(on, unit);
    process.setSourceMapsEnabled(true);
    assert.equal(findSourceMap(frameName(on, unit.ops.artifact)!), undefined);
  });
});
