import type { Clock } from '../../core/clock.ts';
import type { AccountId } from '../../core/ids.ts';
import { oncePer } from '../../core/oncePer.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from './connections.ts';

/** How many requests for one purpose are sent for an account at most within {@link withinMs}. */
const most = 100;
const withinMs = 20_000;

/** What commands send requests for. Each has a limit of its own. */
export type RequestPurpose = 'connectionTest' | 'lookUp' | 'viewing';

/** When the latest requests were sent, in monotonic milliseconds, by account and purpose. */
const sentOf = oncePer((_: Connections) => new Map<string, readonly number[]>());

/**
 * Counts requests that a command is about to send. Other extensions can call commands in a loop.
 * @throws ProviderError `tooOften` if more than a hundred would be sent for the account and purpose within 20 seconds.
 */
export function limitRequests(
  { connections, clock }: { readonly connections: Connections; readonly clock: Clock },
  account: AccountId,
  purpose: RequestPurpose,
  count = 1,
): void {
  const sent = sentOf(connections);
  const key = `${purpose} ${account}`;
  const now = clock.monotonic();
  const recent = (sent.get(key) ?? []).filter((at) => now - at < withinMs);
  if (recent.length + count > most) throw new ProviderError({ kind: 'tooOften' }, `too many requests: ${purpose}`);
  sent.set(key, [...recent, ...Array.from({ length: count }, () => now)]);
}
