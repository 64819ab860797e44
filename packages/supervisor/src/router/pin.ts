import { createHmac, timingSafeEqual } from "node:crypto";
import { sides, type RouterTable, type Side } from "./table.ts";

const name = "midflight_side";

/** A cookie that keeps a client on a side for this deployment (RFC 6265). Whoever forges one has chosen for himself only; it is signed all the same. */
export function pinCookie(table: Pick<RouterTable, "deployment" | "key">, side: Side): string {
  return `${name}=${encodeURIComponent(table.deployment)}.${side}.${sign(table, side)}; Path=/; HttpOnly; SameSite=Lax`;
}

/** What a request's `Cookie` field says, if this deployment signed it. */
export function readPin(table: Pick<RouterTable, "deployment" | "key">, cookie: string | undefined): Side | null {
  if (cookie === undefined || !cookie.includes(name)) return null;
  for (const part of cookie.split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key !== name || value === undefined) continue;
    const side = sides.find((one) => isSame(value, `${encodeURIComponent(table.deployment)}.${one}.${sign(table, one)}`));
    if (side !== undefined) return side;
  }
  return null;
}

/** The field without the pin, which the app does not see; null if nothing is left. */
export function withoutPin(cookie: string): string | null {
  if (!cookie.includes(name)) return cookie;
  const rest = cookie.split(";").filter((part) => !part.trim().startsWith(`${name}=`)).join(";").trim();
  return rest === "" ? null : rest;
}

function sign({ deployment, key }: Pick<RouterTable, "deployment" | "key">, side: Side): string {
  return createHmac("sha256", Buffer.from(key, "hex")).update(`${deployment}\0${side}`).digest("base64url");
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
