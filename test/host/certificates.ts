import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate that is trusted only together with its authority, and its key; all PEM. */
export interface TestCertificate {
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
}

/** Creates our own authority and a certificate signed by it for these host names. */
export async function makeCertificate(...hosts: readonly string[]): Promise<TestCertificate> {
  const keys = { keyType: 'ec', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: 'Browser Sessions tests' }], {
    ...keys,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    ...keys,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2, value }) as const) },
    ],
  });
  return { authority: ca.cert, cert: leaf.cert, key: leaf.private };
}

/** Writes a certificate's three parts into a folder, as `authority.pem`, `cert.pem` and `key.pem`. */
export async function writeCertificate(folder: string, { authority, cert, key }: TestCertificate): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'authority.pem'), authority);
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
}
