/** Assertions of a text of TAP, subtests included; each title has those around it before it. */
export function parseTap(text) {
  const results = [];
  const around = [];
  for (const line of text.split("\n")) {
    const subtest = /^( *)# Subtest: (.*)$/.exec(line);
    if (subtest !== null) {
      const depth = Math.floor(subtest[1].length / 4);
      around.length = Math.max(0, depth - (subtest[1].length % 4 === 0 ? 0 : 1));
      around.push(subtest[2]);
      continue;
    }
    const point = /^( *)(not )?ok\b *\d* *-? *(.*?)(?: *# time=.*| *\{)?$/.exec(line);
    if (point === null || /# (?:skip|todo)/i.test(line)) continue;
    const depth = Math.floor(point[1].length / 4);
    results.push({ title: [...around.slice(0, depth), point[3]].join(" "), ok: point[2] === undefined });
  }
  return results;
}
