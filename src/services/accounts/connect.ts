import type { Account, Credentials } from '../../core/account.ts';
import type { CdpDialer } from '../../core/cdp.ts';
import type { Clock } from '../../core/clock.ts';
import type { HttpClient } from '../../core/http.ts';
import { loopbackUrl, parseAddress } from '../../core/origin.ts';
import type { Link, ProviderKind } from '../../core/provider.ts';
import { badAddress, ProviderError } from '../../core/providerError.ts';
import type { RequestLimits } from '../../core/rateWindow.ts';
import { knownSecrets } from '../../core/redact.ts';
import type { ProviderKinds } from '../providers/providerKinds.ts';
import { redactedError } from '../providers/redactedError.ts';
import { type RedactedProvider, redactedProvider } from '../providers/redactedProvider.ts';
import type { Accounts } from './accounts.ts';

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

/** What connecting an account needs. */
export interface ConnectParts {
  readonly kinds: ProviderKinds;
  readonly accounts: Accounts;
  readonly network: Network;
}

/**
 * Connects an account to its provider. The only place where a saved key meets an address, and it is the address the key was saved
 * with.
 * @param others what other accounts show of this machine.
 * @param onLimits is told what will receive the rate limits that answers report.
 * @throws ProviderError as `Connections.open` does.
 */
export async function connectAccount(
  { kinds, accounts, network }: ConnectParts,
  account: Account,
  others: Pick<Link, 'isShownElsewhere' | 'hasAccountAt'>,
  onLimits: (limits: RequestLimits) => void,
): Promise<RedactedProvider> {
  const { id } = account;
  await kinds.load();
  const kind = kinds.get(account.provider);
  if (kind === undefined) {
    const reason = { kind: 'unknownProvider', provider: account.provider } as const;
    throw new ProviderError({ kind: 'unsupported', reason }, 'unknown provider');
  }
  const saved = await accounts.open(id);
  if (saved === undefined && kind.fields.length > 0) {
    const why = (await accounts.whyNoKey(id)) ?? 'missing';
    const trouble = { kind: 'noKey', ...(why !== 'missing' && { why }) } as const;
    throw new ProviderError(trouble, `no key can be used on this machine: ${why}`);
  }
  const secret = saved ?? { origin: account.origin, credentials: {}, further: [] };
  const { origin, credentials } = secret;
  const further = secret.further ?? (kinds.isBuiltIn(kind) ? furtherOf(kind, origin, credentials) : []);
  if (saved !== undefined && kind.fields.length > 0 && saved.machine !== accounts.machine) {
    // On another machine, something else may answer at such an address.
    if ([origin, ...further].some((address) => loopbackUrl(address) !== undefined)) {
      throw new ProviderError({ kind: 'noKey', why: 'otherMachine' }, 'the key is for an address of another machine');
    }
  }
  // Derived again each time where it can't be saved.
  if (secret.further === undefined) accounts.keepFurther(id, further).catch(() => {});
  const limits: RequestLimits = {};
  onLimits(limits);
  return connect(kind, origin, credentials, network, limits, further, others);
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
