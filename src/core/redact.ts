/** Replaces secrets in a text by a mark; made by {@link redactor}. */
export type Redact = (text: string) => string;

const mark = '•••';
/** Shorter values are words that would blot out innocent text; no vendor's key is that short. */
const shortestSecret = 4;
/** Query keys and JSON fields whose value is a secret wherever it turns up, e.g. in a vendor's error message. */
const namedSecret =
  /((?:api[-_]?key|access[-_]?token|token|signing[-_]?key|authorization|password|secret)["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s"'&,;)}\]]+/gi;
const userInfo = /(\w+:\/\/)[^\s/@]+@/g;

/**
 * Returns a function that takes the given secrets out of any text, also in their URL-encoded and Base64 forms, and with
 * them whatever is named like a secret (`token=…`, `"apiKey":"…"`, `https://user:password@…`).
 */
export function redactor(secrets: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
    forms.add(Buffer.from(`${secret}:`).toString('base64').replace(/=+$/, ''));
  }
  // The longest first: a secret that begins with another one must not leave its tail behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const form of ordered) clean = clean.replaceAll(form, mark);
    return clean.replace(namedSecret, `$1${mark}`).replace(userInfo, `$1${mark}@`);
  };
}
