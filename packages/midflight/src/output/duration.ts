/** "4 ms", "0.9 s", "12 s", "2 m 14 s", "3 h 5 m", "9 d". */
export function formatDurationMs(ms: number): string {
  if (ms < 1) return ms <= 0 ? "0 ms" : `${ms.toFixed(1)} ms`;
  if (ms < 100) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} m` : `${minutes} m ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d`;
}

/** How long ago an ISO 8601 moment was; "–" if it is no moment. */
export function formatAge(iso: string, nowMs: number): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "–" : formatDurationMs(Math.max(0, nowMs - at));
}
