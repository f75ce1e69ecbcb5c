import type { Credentials } from '../../core/account.ts';
import type { CdpDialer } from '../../core/cdp.ts';
import type { Clock } from '../../core/clock.ts';
import type { HttpClient } from '../../core/http.ts';
import { parseAddress } from '../../core/origin.ts';
import type { Link, ProviderKind } from '../../core/provider.ts';
import { badAddress, ProviderError } from '../../core/providerError.ts';
import type { RequestLimits } from '../../core/rateWindow.ts';
import { knownSecrets } from '../../core/redact.ts';
import { redactedError } from '../providers/redactedError.ts';
import { type RedactedProvider, redactedProvider } from '../providers/redactedProvider.ts';

/** The ways to the network, made by the composition root. */
export interface Network {
  /**
   * @param secrets values that must not appear in any log line or error
   * @param limits receives the rate limits that answers report
   */
  http(address: URL, secrets: readonly string[], limits: RequestLimits): HttpClient;
  /** @param origin the account's, the only one it connects to */
  cdp(origin: URL): CdpDialer;
  readonly clock: Clock;
  /** Whether the user has turned on a provider's setting. */
  setting(kind: string, id: string): boolean;
}

/** Where else a key that is saved now may be sent, as addresses: shown in the prompt, and saved with the key. */
export function furtherOf(kind: ProviderKind, origin: string, credentials: Credentials): string[] {
  const address = parseAddress(origin);
  if (!address.ok) return [];
  const all = kind.furtherAddresses(address.url, credentials).map(({ href }) => href);
  // An address that a key may not be sent to isn't shown either.
  return all.filter((one) => parseAddress(one).ok);
}

const noOthers = { isShownElsewhere: () => false, hasAccountAt: () => false };

/**
 * Connects to a provider. The adapter can send the key to the address it was saved with, to the further addresses, and
 * nowhere else. Its answers come without the key in them; see {@link redactedProvider}.
 * @param further those that were saved with the key; for a key that is not saved yet, those that its kind derives.
 * @param others what other accounts show of this machine.
 * @throws ProviderError `badAddress` for an address that no account can have.
 */
export function connect(
  kind: ProviderKind,
  savedOrigin: string,
  credentials: Credentials,
  network: Network,
  limits: RequestLimits = {},
  further = furtherOf(kind, savedOrigin, credentials),
  others: Pick<Link, 'isShownElsewhere' | 'hasAccountAt'> = noOthers,
): RedactedProvider {
  const address = parseAddress(savedOrigin);
  if (!address.ok) throw badAddress(address.fault);
  const origin = address.url;
  const secrets = kind.fields.flatMap((field) => (field.kind === 'secret' ? (credentials[field.id] ?? []) : []));
  const known = knownSecrets(secrets);
  const link: Link = {
    origin,
    credentials,
    http: counting(network.http(origin, secrets, limits), limits),
    httpTo: (other) => {
      if (further.includes(other.href)) return counting(network.http(other, secrets, {}), limits);
      const why = `${other.host} is not among the addresses that were saved with the key; Replace Key… saves them again`;
      throw new ProviderError({ kind: 'unsupported', reason: { kind: 'otherHost', host: other.host } }, why);
    },
    localPort: (port) => {
      if (kind.fields.length > 0) {
        const reason = { kind: 'otherAddress' } as const;
        throw new ProviderError({ kind: 'unsupported', reason }, 'an account with a key has no other port');
      }
      const at = new URL(`http://127.0.0.1:${port}`);
      return { origin: at, http: network.http(at, [], {}), cdp: network.cdp(at) };
    },
    ...others,
    cdp: network.cdp(origin),
    clock: network.clock,
    setting: (id) => network.setting(kind.id, id),
  };
  try {
    return redactedProvider(kind.connect(link), known);
  } catch (error) {
    throw redactedError(error, known.redact);
  }
}

/** Counts what a client sends. */
function counting(client: HttpClient, limits: RequestLimits): HttpClient {
  return {
    send: (request, signal) => {
      limits.sent = (limits.sent ?? 0) + 1;
      return client.send(request, signal);
    },
  };
}
