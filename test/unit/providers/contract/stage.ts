import type { Credentials } from '../../../../src/core/account.ts';
import type { ProviderKind } from '../../../../src/core/provider.ts';
import type { TroubleKind } from '../../../../src/core/providerError.ts';
import type { ProviderServer } from '../../../servers/providerServer.ts';

/** What a list looks like that a hostile server makes up, in the form that the provider documents. */
export interface HostileList {
  /** A row as documented, of a session with this id. */
  row(id: string): Readonly<Record<string, unknown>>;
  /** The answer with these rows, which are JSON with commas between them. */
  answer(rows: string, count: number): string;
  /** How many requests are answered so, where a list is asked for until a page is empty; all unless told otherwise. */
  readonly times?: number;
}

/** A provider's server with one account on it: all that the contract asks of a provider's tests. */
export interface Stage {
  readonly kind: ProviderKind;
  /** What answers at the account's address. A real server stands behind a relay, which misbehaves in its place. */
  readonly server: ProviderServer;
  readonly credentials: Credentials;
  /** Credentials that the provider rejects; undefined where there are none. */
  readonly wrong: Credentials | undefined;
  /** Settings that are turned on, as `kind.setting`. */
  readonly settings: ReadonlySet<string>;
  /** How many times as fast time may pass in the test that waits for time-outs, without leaving the server behind. */
  readonly haste: number;
  /** How many sessions make a list that is worth testing: beyond one page where the provider has pages. */
  readonly many: number;
  /** The request that a list cannot do without. */
  readonly listing: { readonly method: string; readonly path: RegExp };
  /** Whether a session is ended by an HTTP request of its own. */
  readonly endsByRequest: boolean;
  /** Answers to `listing` that mean something else at this provider than elsewhere, by their name in the suite. */
  readonly troubles: Readonly<Record<string, TroubleKind>>;
  /** Starts sessions, as a script elsewhere would. @returns their ids. */
  start(count: number): Promise<string[]>;
  /** Asks the server itself what runs. */
  running(): Promise<string[]>;
  /** Starts a session with a status that nobody has heard of; undefined where the list has no statuses. */
  readonly startUnknown: (() => Promise<string>) | undefined;
  /** Adds a row to the list that is not as documented; undefined where the server is a real one. */
  readonly addMalformed: (() => void) | undefined;
  /** Whether a question about one session tells that it is gone. */
  readonly probesGone: boolean;
  /** Has the provider tell this as the address of its live views, and of each page's; undefined where it has none. */
  readonly liveViewAt: ((address: string) => void) | undefined;
  /** How a hostile server answers `listing`; undefined where the list is no JSON over HTTP. */
  readonly hostile: HostileList | undefined;
  stop(): Promise<void>;
}
