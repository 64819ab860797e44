export function accentColour(): string {
  return "#2f6b4f";
}

export function styleSheet(): string {
  return `
:root { --accent: ${accentColour()}; --ink: #23201c; --soft: #6d665d; --paper: #faf7f2; --card: #fff; --line: #e8e1d7; color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
.brand { margin: 0; font-weight: 700; letter-spacing: .02em; color: var(--accent); }
h1 { margin: 4px 0 28px; font-size: clamp(1.6rem, 4vw, 2.5rem); line-height: 1.15; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 300px; gap: 28px; align-items: start; }
.products { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 18px; }
article, .cart { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px; }
article { display: flex; flex-direction: column; }
article h2 { margin: 12px 0 2px; font-size: 1.05rem; }
.picture { display: grid; place-items: center; height: 96px; border-radius: 10px; font-size: 2.6rem; background: #efe6da; }
.tea .picture { background: #e3eedd; }
.ware .picture { background: #e2e8ee; }
.blurb, .stock { margin: 0; color: var(--soft); font-size: .88rem; }
.blurb { flex: 1; }
.price { margin: 10px 0 0; }
.price s { color: var(--soft); font-size: .85rem; }
button { margin-top: 12px; padding: 9px 14px; border: 0; border-radius: 9px; background: var(--accent); color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
button:hover { filter: brightness(1.08); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
button:disabled { background: var(--line); color: var(--soft); cursor: default; }
.cart { position: sticky; top: 20px; }
.cart h2 { margin: 0 0 8px; font-size: 1.1rem; }
.cart ul { margin: 0; padding: 0; list-style: none; }
.cart li, .total { display: flex; justify-content: space-between; gap: 12px; }
.cart li { padding: 5px 0; border-bottom: 1px solid var(--line); }
.cart button { width: 100%; }
pre { margin: 14px 0 0; white-space: pre-wrap; font-size: .8rem; color: var(--soft); }
footer { padding-top: 32px; padding-bottom: 40px; color: var(--soft); font-size: .85rem; }
@media (max-width: 760px) { main { grid-template-columns: 1fr; } .cart { position: static; } }
`;
}
