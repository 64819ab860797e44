/** The largest single blob. */
export const maxBlobBytes: number = 64 << 20;
/** `read` ends a page after this much envelope text, so that no answer outgrows a JSON body. */
export const maxPageBytes: number = 4 << 20;
export const maxPageEntries = 1_000;
/** How many processes a registry remembers as present at once. */
export const maxPresent = 50_000;
export const maxPresenceTtlMs = 600_000;
/** Newest reports kept per channel. */
export const maxReportsPerChannel = 10_000;
export const maxReportBytes: number = 64 << 10;
/** A blob this young is never swept: its release may be on the way. */
export const blobGraceMs: number = 60 * 60_000;
/** What ran before the registry was closed counts as running for this long after it opens, until its beats come again. */
export const rememberedMs: number = 10 * 60_000;
