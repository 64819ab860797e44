export interface NewService {
  readonly name: string;
  readonly run: string;
  readonly code: string;
  readonly port: string | null;
  readonly health: string | null;
}

/** The configuration that `init` writes: what was found, and nothing that is a default. */
export function renderConfig(app: string, service: NewService): string {
  const quote = (text: string): string => JSON.stringify(text);
  return [
    'import { defineConfig } from "midflight";',
    "",
    "export default defineConfig({",
    `  app: ${quote(app)},`,
    "  services: {",
    `    ${/^[A-Za-z_]\w*$/.test(service.name) ? service.name : quote(service.name)}: {`,
    `      run: ${quote(service.run)},`,
    `      code: ${quote(service.code)},`,
    ...(service.health === null || service.port === null ? [] : [`      health: ${quote(service.health)},`]),
    ...(service.port === null ? [] : [`      env: { PORT: ${quote(service.port)} },`]),
    "    },",
    "  },",
    "});",
    "",
  ].join("\n");
}
