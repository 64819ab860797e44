const tickMs = 1000;
const active = new Set();
/** @type {ReturnType<typeof setInterval> | undefined} */
let timer;
let startedAt = 0;

/**
 * Tells on stderr that something long has begun: a counting line on a terminal, a plain line elsewhere.
 * @param {string} label
 * @returns {(outcome: string | null) => void} ends it, with a closing line or without
 */
export function begin(label) {
  active.add(label);
  if (process.stderr.isTTY !== true) process.stderr.write(`installing ${label} …\n`);
  else if (timer === undefined) {
    startedAt = performance.now();
    timer = setInterval(draw, tickMs);
    draw();
  }
  return (outcome) => {
    active.delete(label);
    if (process.stderr.isTTY === true) process.stderr.write("\r\x1b[K");
    if (outcome !== null) process.stderr.write(`${outcome}\n`);
    if (active.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function draw() {
  const line = `installing ${[...active].join(", ")} … ${Math.round((performance.now() - startedAt) / 1000)} s`;
  process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
}
