/**
 * @typedef {object} Room
 * @property {readonly string[]} ours      packages of this repository that it may import
 * @property {readonly string[]} others    third-party packages that it may import
 * @property {boolean} node                whether it may import `node:` modules
 * @property {readonly string[]} [starts]  packages whose files it hands to child processes by path: declared and resolved, never loaded
 */

/**
 * The table of ARCHITECTURE.md. A package that is not here may not exist.
 * `null`: development only, may import anything it declares.
 * @type {Readonly<Record<string, Room | null>>}
 */
export const rooms = {
  protocol: { ours: [], others: [], node: false },
  // In browsers too; what it says to its server is its own, and small enough to need nothing else.
  client: { ours: [], others: [], node: false },
  trust: { ours: ["@midflight/protocol"], others: [], node: true },
  "registry-client": { ours: ["@midflight/protocol"], others: [], node: true },
  registry: { ours: ["@midflight/protocol", "@midflight/trust"], others: [], node: true },
  planner: { ours: ["@midflight/protocol"], others: ["acorn"], node: false },
  publisher: {
    ours: ["@midflight/protocol", "@midflight/trust", "@midflight/planner", "@midflight/registry-client"],
    others: [],
    node: true,
  },
  agent: { ours: ["@midflight/protocol", "@midflight/trust", "@midflight/registry-client"], others: [], node: true },
  supervisor: {
    ours: ["@midflight/protocol"],
    // Only the router, which runs while two environments serve.
    others: ["undici"],
    node: true,
    starts: ["@midflight/agent"],
  },
  control: {
    ours: [
      "@midflight/protocol",
      "@midflight/trust",
      "@midflight/registry-client",
      "@midflight/registry",
      "@midflight/planner",
      "@midflight/publisher",
      "@midflight/supervisor",
    ],
    others: [],
    node: true,
  },
  midflight: {
    ours: [
      "@midflight/protocol",
      "@midflight/trust",
      "@midflight/registry-client",
      "@midflight/planner",
      "@midflight/publisher",
      "@midflight/control",
    ],
    others: ["commander", "jiti"],
    node: true,
  },
  testkit: null,
};

/** What runs in a user's process, and the Node it must run on; everything else needs the newer floor. */
export const inUserProcess = Object.freeze(["protocol", "client", "trust", "registry-client", "agent"]);
export const floors = Object.freeze({ user: ">=20.19", ours: ">=22.18" });
