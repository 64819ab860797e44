export { acceptResumable, type AcceptOptions, type ResumableMessage, type ResumablePeer, type ResumableSocket } from "./accept-resumable.ts";
export { createResumeWindow, type ResumeWindow, type ResumeWindowOptions } from "./resume-window.ts";
export { maxMessageBytes } from "./frames.ts";
