// Asks @sigstore/verify for its judgement: node verify.mjs BUNDLE PUBLIC_KEY.pem
// Exit 0: it accepts the bundle. Exit 1: it refuses, and says why.
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [bundlePath, keyPath] = process.argv.slice(2);
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundlePath, 'utf8')));
const rawBytes = createPublicKey(readFileSync(keyPath)).export({ type: 'spki', format: 'der' });
const nobody = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trusted = toTrustMaterial(nobody, { [bundle.verificationMaterial.content.publicKey.hint]: { rawBytes } });
try {
  new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
    .verify(toSignedEntity(bundle));
} catch (error) {
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
console.log('accepted');
