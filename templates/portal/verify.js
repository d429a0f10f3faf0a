// Repeats in the browser what the server said about one piece of evidence, from the files that it hands out:
// the signature over the envelope (DSSE, ECDSA P-256 or Ed25519), the entry's place in the ledger (RFC 9162), and the
// checkpoint's signature (C2SP signed note, Ed25519). WebCrypto only; nothing is sent anywhere.

const text = new TextEncoder();

function fail(why) {
  throw new Error(why);
}

export function fromBase64(encoded) {
  const standard = encoded.replace(/-/g, '+').replace(/_/g, '/');
  return Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

// --- signatures ----------------------------------------------------------------------------------

// DER SEQUENCE of two INTEGERs to the 64 raw bytes that WebCrypto wants. Strict: nothing left over, nothing negative.
export function rawSignature(der) {
  if (der.length < 8 || der[0] !== 0x30 || der[1] !== der.length - 2) fail('the signature is not DER');
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    if (der[at] !== 0x02) fail('the signature is not DER');
    const length = der[at + 1];
    let digits = der.slice(at + 2, at + 2 + length);
    if (length < 1 || digits.length !== length || digits[0] & 0x80) fail('the signature is not DER');
    if (digits[0] === 0 && length > 1) {
      if (!(digits[1] & 0x80)) fail('the signature is not DER');
      digits = digits.slice(1);
    }
    if (digits.length > 32) fail('the signature is not one of P-256');
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  if (at !== der.length) fail('the signature is not DER');
  return raw;
}

// The exact bytes that get signed: DSSE v1 pre-authentication encoding. Lengths count bytes.
export function pae(type, payload) {
  const kind = text.encode(type);
  return join(text.encode(`DSSEv1 ${kind.length} `), kind, text.encode(` ${payload.length} `), payload);
}

function derOf(pem) {
  const lines = pem.trim().split('\n');
  if (lines[0] !== '-----BEGIN PUBLIC KEY-----') fail('this is not a public key');
  return fromBase64(lines.slice(1, -1).join(''));
}

async function importKey(der) {
  const kinds = [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'Ed25519' }];
  for (const kind of kinds) {
    try {
      return await crypto.subtle.importKey('spki', der, kind, false, ['verify']);
    } catch {
      // not of this kind, or this browser does not know it
    }
  }
  return fail('this browser knows no such key');
}

export async function checkSignature(bundle, pem, hint) {
  const envelope = bundle.dsseEnvelope;
  if (envelope.signatures.length !== 1) fail('the envelope does not carry exactly one signature');
  const [signature] = envelope.signatures;
  const der = derOf(pem);
  const id = btoa(String.fromCharCode(...await sha256(der)));
  if (id !== hint || signature.keyid !== hint) fail('the envelope names another key');
  const key = await importKey(der);
  const signed = pae(envelope.payloadType, fromBase64(envelope.payload));
  const raw = fromBase64(signature.sig);
  const holds = key.algorithm.name === 'ECDSA'
    ? await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, rawSignature(raw), signed)
    : await crypto.subtle.verify({ name: 'Ed25519' }, key, raw, signed);
  if (!holds) fail('the signature does not match the envelope');
}

// RFC 8785 for the envelope's few members, all of them plain text: sorted names, no blanks.
export function canonicalEnvelope(envelope) {
  const { payload, payloadType, signatures } = envelope;
  const sorted = signatures.map(({ keyid, sig }) => ({ keyid, sig }));
  return text.encode(JSON.stringify({ payload, payloadType, signatures: sorted }));
}

// --- the ledger ----------------------------------------------------------------------------------

export async function rootFromProof(leaf, index, size, path) {
  if (!(index < size)) fail('the entry is outside the ledger');
  let at = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of path) {
    if (sibling.length !== 32) fail('a hash of the proof has not 32 bytes');
    if (last === 0) fail('the proof is too long');
    if (at % 2 === 1 || at === last) {
      node = await sha256(join(Uint8Array.of(1), sibling, node));
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      node = await sha256(join(Uint8Array.of(1), node, sibling));
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) fail('the proof is too short');
  return node;
}

export function readProof(proof) {
  const cut = proof.indexOf('\n\n');
  const [header, indexLine, ...hashes] = proof.slice(0, cut).split('\n');
  const found = /^index (0|[1-9][0-9]*)$/.exec(indexLine);
  if (cut < 0 || header !== 'c2sp.org/tlog-proof@v1' || !found) fail('this is not an inclusion proof');
  return { index: Number(found[1]), path: hashes.map(fromBase64), note: proof.slice(cut + 2) };
}

export function readNote(note) {
  const cut = note.lastIndexOf('\n\n');
  if (cut < 0) fail('this is not a checkpoint');
  const body = note.slice(0, cut + 1);
  const [origin, size, root] = body.split('\n');
  if (!/^(0|[1-9][0-9]*)$/.test(size)) fail('this is not a checkpoint');
  return { body, origin, size: Number(size), root: fromBase64(root), lines: note.slice(cut + 2).split('\n') };
}

export async function checkInclusion(entry, number, proof) {
  const { index, path, note } = readProof(proof);
  if (index !== Number(number.slice(3))) fail('the proof is about another entry');
  const head = readNote(note);
  const leaf = await sha256(join(Uint8Array.of(0), entry));
  const root = await rootFromProof(leaf, index, head.size, path);
  if (!equal(root, head.root)) fail('the proof does not lead to the root of the checkpoint');
  return head;
}

export async function checkCheckpoint(head, logKey) {
  const [name, id, ...rest] = logKey.split('+');
  const typed = fromBase64(rest.join('+'));
  if (typed.length !== 33 || typed[0] !== 1 || name !== head.origin) fail('the checkpoint is about another ledger');
  const expected = (await sha256(join(text.encode(`${name}\n`), typed))).slice(0, 4);
  if (hex(expected) !== id) fail('the ledger key does not fit its id');
  const ours = head.lines.map((line) => line.split(' '))
    .filter(([dash, signer]) => dash === '\u2014' && signer === name)
    .map(([, , signature]) => fromBase64(signature))
    .filter((signature) => equal(signature.slice(0, 4), expected));
  if (!ours.length) fail('the ledger key did not sign this checkpoint');
  let key;
  try {
    key = await crypto.subtle.importKey('raw', typed.slice(1), { name: 'Ed25519' }, false, ['verify']);
  } catch {
    return false;
  }
  for (const signature of ours) {
    const holds = await crypto.subtle.verify({ name: 'Ed25519' }, key, signature.slice(4), text.encode(head.body));
    if (!holds) fail('the signature of the checkpoint does not match it');
  }
  return true;
}

// --- the page ------------------------------------------------------------------------------------

async function fetched(address) {
  const answer = await fetch(address, { credentials: 'same-origin' });
  if (!answer.ok) fail(`${address} cannot be had (${answer.status})`);
  return answer;
}

async function* steps({ number, key, hint, logKey }) {
  const [bundle, entry, proof, pem] = await Promise.all([
    fetched(`/evidence/${number}.sigstore.json`).then((answer) => answer.json()),
    fetched(`/evidence/${number}.entry.json`).then((answer) => answer.arrayBuffer()).then((b) => new Uint8Array(b)),
    fetched(`/evidence/${number}.tlog-proof`).then((answer) => answer.text()),
    fetched(key).then((answer) => answer.text()),
  ]);
  await checkSignature(bundle, pem, hint);
  yield 'The signature matches the envelope and the key.';
  const digest = hex(await sha256(canonicalEnvelope(bundle.dsseEnvelope)));
  if (JSON.parse(new TextDecoder().decode(entry)).envelope !== digest) fail('the entry names another envelope');
  yield 'The ledger entry names this envelope.';
  const head = await checkInclusion(entry, number, proof);
  yield `The entry stands at its place among ${head.size}.`;
  yield await checkCheckpoint(head, logKey)
    ? 'The key of the ledger signed the checkpoint.'
    : 'Not checked: this browser knows no Ed25519, so the checkpoint’s signature needs another tool.';
}

function line(list, word, kind, sentence) {
  const item = document.createElement('li');
  const label = document.createElement('span');
  label.className = `verdict v-${kind}`;
  label.textContent = word;
  item.append(label, ` ${sentence}`);
  list.append(item);
}

function start() {
  const place = document.getElementById('verify');
  if (!place) return;
  const button = place.querySelector('button');
  const status = place.querySelector('[role=status]');
  if (!globalThis.crypto?.subtle) {
    status.textContent = 'This browser lends its cryptography only to pages that came over https. Use the downloads.';
    return;
  }
  button.hidden = false;
  button.addEventListener('click', async () => {
    const list = document.createElement('ul');
    list.className = 'checked';
    status.replaceChildren(list);
    try {
      for await (const sentence of steps(place.dataset)) {
        const skipped = sentence.startsWith('Not checked');
        line(list, skipped ? 'skipped' : 'holds', skipped ? 'erased' : 'holds', sentence.replace('Not checked: ', ''));
      }
    } catch (error) {
      line(list, 'fails', 'fails', `Here it stops: ${error.message}.`);
    }
  });
}

if (typeof document !== 'undefined') start();
