import type { ModulesApp } from "./modules-app.ts";
import type { Spread } from "../statistics.ts";

export interface RivalFindings {
  readonly name: string;
  readonly one: { readonly ms: Spread };
  readonly all: { readonly ms: Spread };
}

export async function measureRivals(_app: ModulesApp, _rounds: { one: number; all: number }, _say: (line: string) => void): Promise<readonly RivalFindings[]> {
  return [];
}
