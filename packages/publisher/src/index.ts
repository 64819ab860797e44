export { contentOf, type Batch, type BatchReason, type FileContent, type Source } from "./source.ts";
export { watchDirectory, type WatchedDirectory, type WatchOptions } from "./watch-directory.ts";
export { folderSource, readFolder, type FolderSourceOptions } from "./folder-source.ts";
