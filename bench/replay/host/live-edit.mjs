import { Session } from "node:inspector";
import { pathToFileURL } from "node:url";

/** V8's LiveEdit of some loaded scripts, from within: the status that it answers for each. */
export async function liveEdit(files) {
  const session = new Session();
  session.connect();
  const scripts = new Map();
  session.on("Debugger.scriptParsed", ({ params }) => scripts.set(params.url, params.scriptId));
  const post = (method, params) => new Promise((resolve) => session.post(method, params, (error, result) => resolve(error?.message ?? result)));
  await post("Debugger.enable");
  const statuses = [];
  for (const { file, text } of files) {
    const scriptId = scripts.get(pathToFileURL(file).href) ?? scripts.get(file);
    if (scriptId === undefined) continue; // it is not loaded yet, and will be from the disk
    const result = await post("Debugger.setScriptSource", { scriptId, scriptSource: text });
    statuses.push(typeof result === "string" ? result : (result.status ?? "Ok"));
  }
  await post("Debugger.disable");
  session.disconnect();
  return statuses;
}
