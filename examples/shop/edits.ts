import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One change a shopkeeper might make, as a text replacement in one source file. */
export interface ShopEdit {
  readonly name: string;
  /** What happens to the running shop: changed in place, or replaced by a new process. */
  readonly outcome: "live" | "replaced";
  readonly because: string;
  /** Relative to the shop's folder. */
  readonly file: string;
  readonly steps: readonly { readonly find: string; readonly replace: string }[];
}

/** Only a function's body changes. */
export const euroAfterAmount: ShopEdit = {
  name: "write the euro sign behind the amount",
  outcome: "live",
  because: "only the body of formatMoney changes",
  file: "src/money.ts",
  steps: [{ find: "`${sign}€${groupThousands(euros)}.${rest}`", replace: "`${sign}${groupThousands(euros)}.${rest} €`" }],
};

/** Only a rule changes; its callers sit in two other modules. */
export const bulkDiscountFromTwo: ShopEdit = {
  name: "give the bulk discount from two pieces on",
  outcome: "live",
  because: "only the body of bulkDiscountCents changes",
  file: "src/discounts.ts",
  steps: [{ find: "quantity >= 3 ?", replace: "quantity >= 2 ?" }],
};

/** An import, a constant and a function come in, and an existing function calls them. */
export const chargeForGiftWrap: ShopEdit = {
  name: "charge for gift wrap",
  outcome: "live",
  because: "an import, a constant and a function are added, and surchargeCents calls them",
  file: "src/pricing.ts",
  steps: [
    { find: "import { formatMoney, moneyRevision }", replace: "import { formatMoney, moneyRevision, percentOf }" },
    { find: "export interface QuoteLine {", replace: "/** Per wrapped piece. */\nconst GIFT_WRAP_CENTS = 350;\n\nexport interface QuoteLine {" },
    {
      find: "/** Extras on top of the goods. Gift wrap is still on the house. */\nfunction surchargeCents(_cart: readonly CartLine[]): number {\n  return 0;\n}",
      replace:
        "/** Extras on top of the goods. */\nfunction surchargeCents(cart: readonly CartLine[]): number {\n  return giftWrapCents(cart);\n}\n\n" +
        "/** From five pieces on, wrapping is a fifth cheaper. */\nfunction giftWrapCents(cart: readonly CartLine[]): number {\n" +
        "  const pieces = cart.reduce((sum, line) => sum + (line.gift ? line.quantity : 0), 0);\n" +
        "  const cents = pieces * GIFT_WRAP_CENTS;\n  return pieces >= 5 ? cents - percentOf(cents, 20) : cents;\n}",
    },
  ],
};

/** Carts that are open already would lack the field. */
export const cartsKnowTheirCurrency: ShopEdit = {
  name: "let each cart know its currency",
  outcome: "replaced",
  because: "a field of class Cart is added, and carts that are open were built without it",
  file: "src/cart.ts",
  steps: [{ find: "Date.now();\n  #lines", replace: "Date.now();\n  readonly currency = \"EUR\";\n  #lines" }],
};

/** The timer was started with the former interval. */
export const restockTwiceAsOften: ShopEdit = {
  name: "restock twice as often",
  outcome: "replaced",
  because: "the timer that is running was started with the former interval",
  file: "src/stock.ts",
  steps: [{ find: "RESTOCK_EVERY_MS = 1000", replace: "RESTOCK_EVERY_MS = 500" }],
};

export const shopEdits: readonly ShopEdit[] = [
  euroAfterAmount,
  bulkDiscountFromTwo,
  chargeForGiftWrap,
  cartsKnowTheirCurrency,
  restockTwiceAsOften,
];

/** Makes the edit in the shop that lies in `shopFolder`. Throws when the text to replace is not there exactly once. */
export async function makeEdit(shopFolder: string, edit: ShopEdit): Promise<void> {
  await rewrite(join(shopFolder, edit.file), (source) =>
    edit.steps.reduce((text, step) => replaceOnce(text, step.find, step.replace, edit), source),
  );
}

/** Takes the edit back. */
export async function undoEdit(shopFolder: string, edit: ShopEdit): Promise<void> {
  await rewrite(join(shopFolder, edit.file), (source) =>
    edit.steps.reduceRight((text, step) => replaceOnce(text, step.replace, step.find, edit), source),
  );
}

const revisionFiles = ["src/pricing.ts", "src/discounts.ts", "src/money.ts", "src/legacy/tax-table.cjs"];

/**
 * Writes `stamp` as the revision of all four price rules, three ES modules and a
 * CommonJS one. A quote that names two different revisions was priced by a mixture.
 */
export async function stampRevisions(shopFolder: string, stamp: string): Promise<void> {
  if (!/^[A-Za-z0-9.-]{1,40}$/.test(stamp)) throw new RangeError(`a stamp is made of letters, digits, dots and dashes, not "${stamp}"`);
  for (const file of revisionFiles) {
    await rewrite(join(shopFolder, file), (source) => {
      const stamped = source.replace(/(Revision\(\)(?:: string)? \{\n  return ")[^"]*(")/, `$1${stamp}$2`);
      if (!stamped.includes(`return "${stamp}"`)) throw new Error(`${file} has no revision to stamp`);
      return stamped;
    });
  }
}

async function rewrite(path: string, change: (source: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, "utf8")));
}

function replaceOnce(text: string, find: string, replacement: string, edit: ShopEdit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`cannot ${edit.name}: ${edit.file} holds the text to replace ${parts.length - 1} times`);
  return parts.join(replacement);
}
