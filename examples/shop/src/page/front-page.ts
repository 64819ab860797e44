import type { ProductCard } from "../catalogue.ts";

export function headline(): string {
  return "Good things to drink, while you work.";
}

export function renderFrontPage(cards: readonly ProductCard[], startedAt: Date): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leaf &amp; Bean</title>
<link rel="stylesheet" href="/shop.css">
</head>
<body>
<header>
  <p class="brand">Leaf <span>&amp;</span> Bean</p>
  <h1 id="headline">${escapeHtml(headline())}</h1>
</header>
<main>
  <section class="products" aria-label="Products">
${cards.map(renderCard).join("\n")}
  </section>
  <aside class="cart" aria-label="Your cart">
    <h2>Your cart</h2>
    <ul id="lines"></ul>
    <p class="total"><span>Total</span> <strong id="total">–</strong></p>
    <button id="checkout" type="button" disabled>Check out</button>
    <pre id="receipt" aria-live="polite"></pre>
  </aside>
</main>
<footer>
  Open since <time datetime="${startedAt.toISOString()}">${startedAt.toISOString().slice(0, 19).replace("T", " ")}</time>
  · <span id="about">&nbsp;</span>
</footer>
<script type="module" src="/shop.js"></script>
</body>
</html>
`;
}

function renderCard(card: ProductCard): string {
  return `    <article class="${card.kind}" data-sku="${escapeHtml(card.sku)}">
      <div class="picture" aria-hidden="true">${card.emoji}</div>
      <h2>${escapeHtml(card.name)}</h2>
      <p class="blurb">${escapeHtml(card.blurb)}</p>
      <p class="price"><strong>${escapeHtml(card.price)}</strong> <s>${escapeHtml(card.was ?? "")}</s></p>
      <p class="stock">${escapeHtml(card.availability)}</p>
      <button type="button">Add to cart</button>
    </article>`;
}

function escapeHtml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
