/** What runs in the browser. Prices are asked for again every two seconds, so a new price list shows without a reload. */
export function clientScript(): string {
  return `
const byId = (id) => document.getElementById(id);
const card = (sku) => document.querySelector('[data-sku="' + CSS.escape(sku) + '"]');
const customer = localStorage.customer ??= 'c' + Math.random().toString(36).slice(2, 12);
const getJson = async (url, init) => (await fetch(url, init)).json();

async function showCart() {
  const cart = await getJson('/api/cart/' + customer);
  byId('lines').replaceChildren(...cart.lines.map((line) => {
    const row = document.createElement('li');
    row.textContent = line.quantity + ' × ' + line.name;
    const price = document.createElement('span');
    price.textContent = line.total;
    row.append(price);
    return row;
  }));
  byId('total').textContent = cart.total;
  byId('checkout').disabled = cart.lines.length === 0;
}

async function showPrices() {
  const { products } = await getJson('/api/products');
  for (const product of products) {
    const article = card(product.sku);
    if (!article) continue;
    article.querySelector('.price strong').textContent = product.price;
    article.querySelector('.price s').textContent = product.was ?? '';
  }
  const about = await getJson('/api/about');
  byId('about').textContent = 'process ' + about.pid + ', up ' + about.uptimeSeconds + ' s, '
    + about.requests.toLocaleString('en') + ' requests, ' + about.orders.toLocaleString('en') + ' orders';
}

document.querySelector('.products').addEventListener('click', async (event) => {
  const article = event.target.closest('button')?.closest('article');
  if (!article) return;
  await fetch('/api/cart/' + customer + '/items', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sku: article.dataset.sku }),
  });
  await showCart();
});

byId('checkout').addEventListener('click', async () => {
  const sold = await getJson('/api/cart/' + customer + '/checkout', { method: 'POST' });
  byId('receipt').textContent = sold.receipt ? sold.receipt.join('\\n') : sold.error;
  await showCart();
});

new EventSource('/api/stock/stream').addEventListener('stock', (event) => {
  const change = JSON.parse(event.data);
  const stock = card(change.sku)?.querySelector('.stock');
  if (!stock) return;
  stock.textContent = change.availability;
  stock.animate([{ opacity: 0.2 }, { opacity: 1 }], 600);
});

const refresh = () => Promise.all([showPrices(), showCart()]).catch(() => { byId('about').textContent = 'the shop does not answer'; });
setInterval(refresh, 2000);
await refresh();
`;
}
