import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { transform } from "@swc/core";
import { build, type BuildOptions } from "esbuild";
import { rolldown } from "rolldown";

/** Makes `out` from the TypeScript in `src`, as people do in their projects, with source maps. */
export interface Compiler {
  readonly name: string;
  readonly decorators: "legacy" | "standard";
  readonly format: "esm" | "cjs";
  /** The file to start, below `out`. */
  readonly entry: string;
  compile(project: string): Promise<void>;
}

const run = promisify(execFile);
const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace("package.json", "bin/tsc");

function byTsc(name: string, decorators: Compiler["decorators"], format: Compiler["format"], options: Record<string, unknown>): Compiler {
  return {
    name, decorators, format, entry: "server.js",
    async compile(project) {
      const compilerOptions = {
        target: "es2022", module: format === "esm" ? "nodenext" : "commonjs", moduleResolution: format === "esm" ? "nodenext" : "bundler", strict: true, sourceMap: true, rootDir: "src", outDir: "dist",
        skipLibCheck: true, types: ["node"], typeRoots: [typeRoots], experimentalDecorators: decorators === "legacy", noCheck: true, ...options,
      };
      writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
      await run(process.execPath, [tsc, "-p", project]);
    },
  };
}

const typeRoots = path.dirname(path.dirname(fileURLToPath(import.meta.resolve("@types/node/package.json"))));

function byEsbuild(name: string, decorators: Compiler["decorators"], format: Compiler["format"], entry: string, options: BuildOptions): Compiler {
  return {
    name, decorators, format, entry,
    async compile(project) {
      await build({
        absWorkingDir: project, entryPoints: options.bundle === true ? ["src/server.ts"] : sourcesOf(project).map((file) => `src/${file}`), outbase: "src", outdir: "dist", platform: "node", format, target: "node20",
        sourcemap: true, logLevel: "error", tsconfigRaw: { compilerOptions: { experimentalDecorators: decorators === "legacy", useDefineForClassFields: true } }, ...options,
      });
    },
  };
}

function bySwc(name: string, decorators: Compiler["decorators"], format: Compiler["format"], target: "es2022" | "es2017"): Compiler {
  return {
    name, decorators, format, entry: "server.js",
    async compile(project) {
      for (const file of sourcesOf(project)) {
        const out = path.join(project, "dist", file.replace(/\.ts$/, ".js"));
        const { code, map } = await transform(readFileSync(path.join(project, "src", file), "utf8"), {
          filename: path.join(project, "src", file), sourceFileName: path.relative(path.dirname(out), path.join(project, "src", file)), sourceMaps: true, swcrc: false, configFile: false,
          module: { type: format === "esm" ? "nodenext" : "commonjs" },
          jsc: { target, parser: { syntax: "typescript", decorators: true }, transform: decorators === "legacy" ? { legacyDecorator: true } : { decoratorVersion: "2022-03" }, externalHelpers: false },
        });
        mkdirSync(path.dirname(out), { recursive: true });
        writeFileSync(out, `${code}\n//# sourceMappingURL=${path.basename(out)}.map`);
        writeFileSync(`${out}.map`, map!);
      }
    },
  };
}

function byRolldown(name: string): Compiler {
  return {
    name, decorators: "legacy", format: "esm", entry: "server.js",
    async compile(project) {
      const bundle = await rolldown({ cwd: project, input: "src/server.ts", platform: "node", resolve: { extensionAlias: { ".js": [".ts", ".js"] } }, transform: { decorator: { legacy: true } }, logLevel: "warn" });
      await bundle.write({ dir: path.join(project, "dist"), format: "esm", sourcemap: true, entryFileNames: "server.js" });
      await bundle.close();
    },
  };
}

function sourcesOf(project: string): readonly string[] {
  return readdirSync(path.join(project, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).sort();
}

/** Writes a project's sources, and the package.json that says what its `.js` is. */
export function writeProject(project: string, sources: Readonly<Record<string, string>>, format: Compiler["format"]): void {
  rmSync(path.join(project, "src"), { recursive: true, force: true });
  for (const [file, text] of Object.entries(sources)) {
    mkdirSync(path.dirname(path.join(project, "src", file)), { recursive: true });
    writeFileSync(path.join(project, "src", file), text);
  }
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "service", private: true, type: format === "esm" ? "module" : "commonjs" }));
}

export const compilers: readonly Compiler[] = [
  byTsc("tsc, legacy decorators", "legacy", "esm", {}),
  byTsc("tsc, legacy decorators, CommonJS for ES2017", "legacy", "cjs", { target: "es2017", inlineSourceMap: true, sourceMap: false }),
  byTsc("tsc, decorators", "standard", "esm", {}),
  byEsbuild("esbuild, decorators", "standard", "esm", "server.js", {}),
  byEsbuild("esbuild, legacy decorators, CommonJS", "legacy", "cjs", "server.js", { target: "es2018" }),
  byEsbuild("esbuild, one file", "legacy", "esm", "server.js", { bundle: true }),
  byEsbuild("esbuild, one file of CommonJS", "standard", "cjs", "server.js", { bundle: true, sourcemap: "inline" }),
  bySwc("swc, decorators", "standard", "esm", "es2022"),
  bySwc("swc, legacy decorators, CommonJS for ES2017", "legacy", "cjs", "es2017"),
  byRolldown("rolldown, one file"),
];
