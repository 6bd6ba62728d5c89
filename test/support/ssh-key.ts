/** Something of the shape of a public key: `type base64`, its content only `seed`. */
export function keyText(type: string, seed: string): string {
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return `${type} ${Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32, seed))]).toString('base64')}`;
}
