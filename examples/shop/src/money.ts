/** Amounts are whole cents everywhere; only this module knows how people like to read them. */

export function moneyRevision(): string {
  return "1";
}

export function formatMoney(cents: number): string {
  const sign = cents < 0 ? "-" : "";
  const absolute = Math.abs(cents);
  const euros = Math.floor(absolute / 100);
  const rest = String(absolute % 100).padStart(2, "0");
  return `${sign}€${groupThousands(euros)}.${rest}`;
}

/** Share of an amount, rounded half up to a whole cent. */
export function percentOf(cents: number, percent: number): number {
  return Math.floor((cents * percent + 50) / 100);
}

function groupThousands(euros: number): string {
  return String(euros).replace(/\B(?=(\d{3})+$)/g, ",");
}
