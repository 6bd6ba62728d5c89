const TYPES: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/** Why a line is not an OpenSSH public key (`ssh-ed25519 AAAA… name`); undefined when it is. RFC 4253 section 6.6. */
export function publicKeyProblem(line: string): string | undefined {
  const [type = '', blob = ''] = line.trim().split(/\s+/);
  if (line.includes('PRIVATE KEY')) return 'is a private key; only the public one belongs here';
  if (!TYPES.has(type)) return 'must be a public key as ssh-keygen writes it: “ssh-ed25519 AAAA… name”';
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(blob) ? Buffer.from(blob, 'base64') : Buffer.alloc(0);
  const fields = stringsOf(bytes);
  if (fields?.[0]?.toString('latin1') !== type) return 'is cut off or mistyped: the part after the type is not such a key';
  if (type === 'ssh-ed25519' && fields[1]?.byteLength !== 32) return 'is cut off or mistyped: an ed25519 key has 32 bytes';
  return undefined;
}

/** The same for an item of `trust:`, which may also be a line of an allowed_signers file, a PEM key, or the name of a file. */
export function trustedKeyProblem(item: string): string | undefined {
  const text = item.trim();
  if (text.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
  const words = text.split(/\s+/);
  const at = words.findIndex((word) => TYPES.has(word));
  if (at < 0 && words.length === 1 && text !== '') return undefined;
  return publicKeyProblem(at > 0 ? words.slice(at).join(' ') : text);
}

/** The length-prefixed strings that the bytes consist of; undefined when they don't add up. */
function stringsOf(bytes: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < bytes.byteLength) {
    if (at + 4 > bytes.byteLength) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.byteLength) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
