import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * Makes the one TLS context that all connections share. Reading some hundred certificates takes tens of milliseconds,
 * so this is done once for each pair of settings and not once for each connection.
 * @param system whether the operating system's store is trusted besides Node's own certificates and
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
