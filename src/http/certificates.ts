import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * The TLS context that all connections share. Reading some hundred certificates takes tens of milliseconds, so this is
 * done once per pair of settings and not once per connection.
 * @param system whether to trust the operating system's store as well as Node's own certificates and
 * NODE_EXTRA_CA_CERTS.
 */
export function sharedSecureContext(system: boolean): SecureContext {
  const known = contexts.get(system);
  if (known !== undefined) return known;
  const trusted = [...getCACertificates('default'), ...(system ? getCACertificates('system') : [])];
  const context = createSecureContext({ ca: [...new Set(trusted)] });
  contexts.set(system, context);
  return context;
}

const contexts = new Map<boolean, SecureContext>();
