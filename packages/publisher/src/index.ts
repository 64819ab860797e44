export { contentOf, type Batch, type BatchReason, type FileContent, type Source } from "./source.ts";
export { watchDirectory, type WatchedDirectory, type WatchOptions } from "./watch-directory.ts";
export { folderSource, readFolder, type FolderSourceOptions } from "./folder-source.ts";
export { createCollector, type CollectedTree, type Collector } from "./collect.ts";
export { entryOf, type RunCommand } from "./entry-point.ts";
export { openProvenance, type ProvenanceOptions, type ProvenanceReader } from "./provenance.ts";
export { openPublisher, type AssignOptions, type Publisher, type PublisherOptions, type PublishOptions } from "./publisher.ts";
export { type PublishOutcome, type ReleasePlan, type RouteSummary } from "./release-plan.ts";
export { manifestName, materialise, type MaterialiseOptions, type ReleaseManifest } from "./materialise.ts";
