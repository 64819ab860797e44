export { connectRegistry, type ConnectOptions, type RegistryClient } from "./connect-registry.ts";
export { follow, type FollowOptions } from "./follow.ts";
export { type WatchEvent } from "./watch.ts";
