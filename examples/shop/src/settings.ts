export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly logLevel: string;
  readonly paymentMs: number;
}

/**
 * Reads PORT (default 3000; 0 takes any free one), HOST (default 127.0.0.1),
 * LOG_LEVEL (default warn) and PAYMENT_MS (default 15).
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: wholeNumber("PORT", env["PORT"] ?? "3000", 65_535),
    host: env["HOST"] ?? "127.0.0.1",
    logLevel: env["LOG_LEVEL"] ?? "warn",
    paymentMs: wholeNumber("PAYMENT_MS", env["PAYMENT_MS"] ?? "15", 60_000),
  };
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from 0 to ${max}, not "${text}"`);
}
