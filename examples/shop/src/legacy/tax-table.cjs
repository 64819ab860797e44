"use strict";
// Older than the rest of the shop, and still CommonJS.

/**
 * VAT contained in a price, in percent.
 * @type {Readonly<Record<string, number>>}
 */
const RATES = { DE: 19, FR: 20, NL: 21, AT: 20, CH: 8 };
const ELSEWHERE = 20;

exports.taxRevision = function taxRevision() {
  return "1";
};

/**
 * @param {number} grossCents
 * @param {string} country two letters
 * @returns {number}
 */
exports.includedTaxCents = function includedTaxCents(grossCents, country) {
  const percent = RATES[country] ?? ELSEWHERE;
  return Math.round((grossCents * percent) / (100 + percent));
};
