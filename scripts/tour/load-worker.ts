// A thread of its own, so that the load keeps its schedule whatever the tour does.
import { parentPort, workerData } from "node:worker_threads";
import { IdLedger, openEventStream, startLoad, type EventStream, type LoadResponse, type LoadRun, type RequestSpec } from "@midflight/testkit";
import { boughtSku, keptCart, type LoadOptions, type LoadTold, type TargetFigures } from "./load-messages.ts";

const { targets, ratePerSecond } = workerData as LoadOptions;
const port = parentPort!;
const tellEveryMs = 100;

interface Customer {
  readonly run: LoadRun;
  readonly orders: IdLedger;
  readonly stream: EventStream;
  /** The first that went wrong, in words. */
  firstFailure: string | null;
  deliveries: number;
}

function plan(i: number): RequestSpec {
  switch (i % 6) {
    case 0:
      return { path: "/" };
    case 1:
      return { path: "/api/products" };
    case 2:
      return buy(`load-${i}`);
    case 3:
      return { path: `/api/cart/${keptCart.id}` };
    case 4:
      return { path: `/api/products/${boughtSku}` };
    default:
      return { path: `/api/cart/${keptCart.id}?coupon=WELCOME` };
  }
}

function buy(customer: string): RequestSpec {
  const checkOut: RequestSpec = { path: `/api/cart/${customer}/checkout`, method: "POST", status: 201 };
  return { path: `/api/cart/${customer}/items`, method: "POST", body: { sku: boughtSku, gift: true }, status: 201, next: () => checkOut };
}

/** Null, or what is wrong with an answer. Each answer about the kept cart has to show the cart as it was left. */
function check(response: LoadResponse, path: string, orders: IdLedger): string | null {
  if (path.endsWith("/checkout")) return orders.record((response.json() as { order: unknown }).order);
  if (!path.startsWith(`/api/cart/${keptCart.id}`)) return null;
  const { pieces, additions } = response.json() as { pieces: unknown; additions: unknown };
  return pieces === keptCart.pieces && additions === keptCart.additions ? null : `the cart that was filled before holds ${String(pieces)} pieces`;
}

async function openCustomer(target: string): Promise<Customer> {
  const orders = new IdLedger();
  const onEvent = ({ data }: { readonly data: string }): void => {
    if ((JSON.parse(data) as { sku: unknown }).sku !== boughtSku) customer.deliveries += 1;
  };
  const stream = await openEventStream(new URL("/api/stock/stream", target), { onEvent });
  const customer: Customer = {
    orders,
    stream,
    firstFailure: null,
    deliveries: 0,
    // A busy machine may be late; late is not failed, and the report says how late.
    run: startLoad({ target: new URL(target), ratePerSecond, plan, validate: (response, _, spec) => note(check(response, spec.path, orders)), maxLatenessMs: 2000 }),
  };
  const note = (problem: string | null): string | null => {
    customer.firstFailure ??= problem;
    return problem;
  };
  return customer;
}

const customers = await Promise.all(targets.map(openCustomer));

function figuresOf({ run, orders, stream, firstFailure, deliveries }: Customer, i: number): TargetFigures {
  const { completed, failed } = run.snapshot();
  const { events, skipped, outOfOrder, brokenBecause } = stream.report;
  return { target: targets[i]!, answered: completed - failed, failed, orders: orders.size, firstFailure, stream: { events, deliveries, missing: skipped + outOfOrder, brokenBecause } };
}

const tell = (told: LoadTold): void => port.postMessage(told);
const timer = setInterval(() => tell({ kind: "figures", figures: customers.map(figuresOf) }), tellEveryMs);

async function end(): Promise<void> {
  clearInterval(timer);
  const reports = await Promise.all(customers.map(({ run }) => run.stop()));
  const figures = customers.map((customer, i) => ({ ...figuresOf(customer, i), firstFailure: customer.firstFailure ?? reports[i]!.firstFailures[0]?.message ?? null }));
  await Promise.all(customers.map(({ stream }) => stream.close()));
  tell({
    kind: "end",
    figures,
    latencies: reports.map(({ latencyMs }) => ({ p50: latencyMs.p50, p99: latencyMs.p99, max: latencyMs.max })),
    voidBecause: reports.map((report) => report.voidBecause).find((because) => because !== null) ?? null,
  });
  port.close();
}

port.on("message", () => void end());
tell({ kind: "figures", figures: customers.map(figuresOf) });
