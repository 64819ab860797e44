import { userInfo, hostname } from "node:os";
import type { Ci } from "@midflight/protocol";

type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment, read at the door; everything behind takes values. */
export function readEnvironment(): Environment {
  return process.env;
}

/** The CI job that this process is part of; null on a developer's machine. */
export function readCi(env: Environment): Ci | null {
  const job = (provider: string, build: string | undefined, url: string | undefined): Ci => ({ provider, build: build || null, url: safeUrl(url) });
  if (env["GITHUB_ACTIONS"] === "true") {
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
    return job("github", env["GITHUB_RUN_NUMBER"], server && repository && run ? `${server}/${repository}/actions/runs/${run}` : undefined);
  }
  if (env["GITLAB_CI"]) return job("gitlab", env["CI_PIPELINE_IID"] ?? env["CI_PIPELINE_ID"], env["CI_JOB_URL"] ?? env["CI_PIPELINE_URL"]);
  if (env["JENKINS_URL"]) return job("jenkins", env["BUILD_NUMBER"], env["BUILD_URL"]);
  if (env["BUILDKITE"] === "true") return job("buildkite", env["BUILDKITE_BUILD_NUMBER"], env["BUILDKITE_BUILD_URL"]);
  if (env["CIRCLECI"] === "true") return job("circleci", env["CIRCLE_BUILD_NUM"], env["CIRCLE_BUILD_URL"]);
  if (env["TF_BUILD"]?.toLowerCase() === "true") {
    const { SYSTEM_TEAMFOUNDATIONCOLLECTIONURI: server, SYSTEM_TEAMPROJECT: project, BUILD_BUILDID: id } = env;
    return job("azure", env["BUILD_BUILDNUMBER"], server && project && id ? `${server}${encodeURIComponent(project)}/_build/results?buildId=${id}` : undefined);
  }
  if (env["CI"] && env["CI"] !== "false" && env["CI"] !== "0") return job("ci", env["BUILD_NUMBER"] ?? env["CI_BUILD_NUMBER"], env["BUILD_URL"] ?? env["CI_BUILD_URL"]);
  return null;
}

/** The branch that a CI job builds: there, git itself often knows a commit only. */
export function readCiBranch(env: Environment): string | null {
  const names = ["GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME", "GIT_BRANCH", "BUILDKITE_BRANCH", "CIRCLE_BRANCH", "BUILD_SOURCEBRANCHNAME"];
  for (const name of names) if (env[name]) return env[name] ?? null;
  return null;
}

/** Who builds: the CI system, or a user and a machine. */
export function readBuilder(ci: Ci | null): string {
  if (ci !== null) return ci.provider;
  let user = "unknown";
  try {
    user = userInfo().username;
  } catch {
    // A container's user may have no name.
  }
  return `${user}@${hostname()}`;
}

/** An address as it may be published: without user and password. A path or `git@host:path` stays as it is. */
export function safeUrl(text: string | undefined): string | null {
  if (!text) return null;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  try {
    const url = new URL(text);
    url.username = "";
    url.password = "";
    return url.href;
  } catch {
    return null;
  }
}
