import { keptCart } from "./load-messages.ts";

/** What a process says about itself; see `GET /api/about` of the shop. */
export interface About {
  readonly pid: number;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly requests: number;
  readonly carts: number;
  readonly orders: number;
  readonly orderPrefix: string;
  readonly stockChanges: number;
}

/** The kept cart as it is priced now. */
export interface Bill {
  readonly pieces: number;
  readonly additions: number;
  readonly subtotalCents: number;
  readonly surchargeCents: number;
  readonly totalCents: number;
  readonly total: string;
}

/** One customer of one process, who looks into the same cart again and again. */
export interface Shopper {
  readonly target: string;
  about(): Promise<About>;
  bill(): Promise<Bill>;
}

/** Fills the kept cart: two pieces of tea as gifts, then a mug. */
export async function openShopper(target: string, url: string): Promise<Shopper> {
  const items = `/api/cart/${keptCart.id}/items`;
  await ask(url, items, { sku: "assam", quantity: 2, gift: true });
  await ask(url, items, { sku: "mug", quantity: 1 });
  return {
    target,
    about: async () => (await ask(url, "/api/about")) as About,
    bill: async () => (await ask(url, `/api/cart/${keptCart.id}`)) as Bill,
  };
}

async function ask(url: string, path: string, body?: object): Promise<unknown> {
  const sending = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await fetch(url + path, { ...sending, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url}${path} answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
  return response.json();
}
