import { asArray, asRecord, asString } from "./json.ts";

/** DSSE v1 envelope. `payload` and `sig` are canonical base64. Source: secure-systems-lab/dsse, envelope.md. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** All our statements are in-toto statements. */
export const payloadType = "application/vnd.in-toto+json";
export const statementType = "https://in-toto.io/Statement/v1";

/** The largest payload that is ever decoded, in bytes. */
export const maxPayloadBytes: number = 8 << 20;

/** Checks the form only; whether a signature holds is for `@midflight/trust`. @throws MidflightError `OBJECT_INVALID` */
export function parseEnvelope(value: unknown): Envelope {
  const e = asRecord(value, "envelope");
  return {
    payloadType: asString(e["payloadType"], "envelope.payloadType", 200),
    payload: asString(e["payload"], "envelope.payload", Math.ceil(maxPayloadBytes / 3) * 4 + 4),
    signatures: asArray(e["signatures"], "envelope.signatures", 16).map((s) => {
      const record = asRecord(s, "envelope.signatures");
      return { keyid: asString(record["keyid"], "signature.keyid", 128), sig: asString(record["sig"], "signature.sig", 1024) };
    }),
  };
}
