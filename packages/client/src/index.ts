export { openResumable, type Resumable, type ResumableEnd, type ResumableOptions, type ResumableState } from "./open-resumable.ts";
export { type Sent } from "./outbox.ts";
export { maxMessageBytes } from "./frames.ts";
export { type SocketEvent, type WebSocketConstructor, type WebSocketLike } from "./web-socket.ts";
