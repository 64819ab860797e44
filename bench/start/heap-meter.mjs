// Loaded into a measured app: collects all garbage at SIGUSR2 and prints what of the heap is in use, in bytes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

process.on("SIGUSR2", () => {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  console.log(`heap ${process.memoryUsage().heapUsed}`);
});
