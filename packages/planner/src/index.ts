export { analyzeUnit, mapArtifact, type UnitAnalysis, type UnitRefusal } from "./node/analyze.ts";
export { describeChange } from "./node/describe.ts";
export { type AppShape } from "./node/app.ts";
export { differencesOf, type Dependencies, type InstalledPackage, type PackageList } from "./node/dependencies.ts";
export { hookSymbol, instrumentationVersion } from "./node/instrument.ts";
export { planTransition } from "./node/plan.ts";
export { type Plan, type PlanInput } from "./node/plan-input.ts";
export { type ImportedSpecifier } from "./node/specifiers.ts";
