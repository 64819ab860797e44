import { MidflightError, walkTree, type Digest, type FlatTree } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import type { Connection } from "./connect.ts";

/** Every file of a release's tree, each directory checked against its digest. @throws MidflightError `ARTIFACT_DIGEST_MISMATCH`, `RELEASE_UNKNOWN` */
export async function readFiles({ registry }: Pick<Connection, "registry">, tree: Digest): Promise<FlatTree> {
  return walkTree(tree, async (digest) => {
    const [blob] = await registry.getBlobs([digest]);
    if (blob === undefined) {
      throw new MidflightError("RELEASE_UNKNOWN", { what: "The release's files are no longer kept.", why: "retention removed them.", state: "nothing was done.", fix: ["midflight releases"] });
    }
    if (sha256(blob.bytes) !== digest) throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", `The directory ${digest} is not what was signed.`);
    return Buffer.from(blob.bytes).toString("utf8");
  });
}
