export { isMidflightError, MidflightError, type ErrorCode, type ErrorFacts } from "./error.ts";
export { isDigest, shortDigest, type Digest, type Hash } from "./digest.ts";
export { asArray, asCount, asNullable, asNumber, asOneOf, asRecord, asString, invalid, type Json } from "./json.ts";
export {
  buildTree, encodeDirectory, isSafePath, maxPathLength, parseDigest, parseDirectory, walkTree,
  type AssetEntry, type Directory, type FileEntry, type FlatTree, type UnitEntry,
} from "./tree.ts";
export { parseProvenance, type Ci, type Provenance, type Vcs } from "./provenance.ts";
export { exceedsRung, parseVerdict, rungs, strongerRung, type Rung, type UnitVerdict } from "./verdict.ts";
export { maxPayloadBytes, parseEnvelope, payloadType, statementType, type Envelope } from "./envelope.ts";
export { createStatement, parseStatement, predicateTypes, type Statement, type StatementKind } from "./statement.ts";
export { createReleaseStatement, parseReleaseStatement, type Release, type ReleaseId } from "./release.ts";
export { appliesTo, createAssignStatement, parseAssignStatement, targetsOfStep, type Assign, type AssignCause, type Targets } from "./assign.ts";
export { countOfStep, isWaveStep, maxBakeMs, maxWaves, type Wave, type WaveStep } from "./wave.ts";
export { defaultRequestPolicy, maxBoundMs, parseRequestPolicy, requestPolicies, stragglers, type RequestPolicy } from "./request-policy.ts";
export { createTransitionStatement, parseTransitionStatement, type Transition, type TransitionUnit } from "./transition.ts";
export {
  parseUnitOps, reservedPrefix,
  type BodyForm, type BodyOp, type CellOp, type ImportOp, type Insertion, type MemberOp, type Piece, type ReloadOp, type ReloadStep, type RemovalOp, type UnitOps,
} from "./overlay.ts";
export { mostDeclarations, mostDrifts, type DeclarationDigest, type Drift, type DriftKind, type TextsRead } from "./drift.ts";
export { addLatencies, bucketOfRank, latencyBucket, latencyBuckets, latencyBucketStart, latencyQuantile, packLatencies, type LatencyCounts } from "./latency.ts";
export { mostMeasured, parseMeasured, type Measured, type ReleaseCounts, type RequestCounts } from "./measured.ts";
export { readMappings, writeMappings, type Segment } from "./mappings.ts";
export { type Generation, type SwapOutcome } from "./swap.ts";
export { agentTransitions, type AgentEvent, type AgentState } from "./agent-state.ts";
export { parseBeat, parseReport, type AgentIdentity, type Beat, type Report } from "./report.ts";
export {
  formatCursor, parseCursor,
  type AppendRequest, type AppendResult, type Blob, type Cursor, type Enclosure, type LogEntry, type ReadResult, type Registry, type ReportQuery, type RetentionPolicy, type RetentionResult,
} from "./registry.ts";
export { checkEnclosedSize, encodeEnclosed, maxEnclosedBlobs, maxEnclosedBytes, parseEnclosed, sizeOf, type EnclosedBlob } from "./enclosed.ts";
export { decodePack, encodePack, frameHeaderBytes, maxPackBytes } from "./pack.ts";
export { compareCounters, type CounterFloor } from "./counter.ts";
export { heartbeatMs, maxJsonBytes, paths, presenceTtlMs, silenceMs, type TokenRole } from "./wire.ts";
export {
  givenSocketsVariable, parseAgentWord, parseSupervisorWord,
  type AgentWord, type DrainedWord, type DrainWord, type SupervisorWord,
} from "./hand-over.ts";
