import type { Credentials } from '../../../../src/core/account.ts';
import type { ProviderKind } from '../../../../src/core/provider.ts';
import type { TroubleKind } from '../../../../src/core/providerError.ts';
import type { ProviderServer } from '../../../servers/providerServer.ts';

/** The format of a list that a hostile server makes up, as the provider documents it. */
export interface HostileList {
  /** A row as documented, for a session with this id. */
  row(id: string): Readonly<Record<string, unknown>>;
  /** The response with these rows, which are JSON joined with commas. */
  answer(rows: string, count: number): string;
  /** How many requests get this response, where a list is requested until a page is empty; all unless set. */
  readonly times?: number;
}

/** A provider's server with one account on it: everything that the contract needs from a provider's tests. */
export interface Stage {
  readonly kind: ProviderKind;
  /** The server at the account's address. A real server is behind a relay, which misbehaves in its place. */
  readonly server: ProviderServer;
  readonly credentials: Credentials;
  /** Credentials that the provider rejects; undefined if it needs none. */
  readonly wrong: Credentials | undefined;
  /** Settings that are turned on, as `kind.setting`. */
  readonly settings: ReadonlySet<string>;
  /** How many times as fast time may pass while failed requests are repeated, without the server falling behind. */
  readonly speedUp: number;
  /** How many sessions make a list that is worth testing: more than one page if the provider has pages. */
  readonly many: number;
  /** The request that a list can't do without. */
  readonly listing: { readonly method: string; readonly path: RegExp };
  /** Whether a session is ended by an HTTP request of its own. */
  readonly endsByRequest: boolean;
  /** Responses to `listing` that mean something else at this provider than elsewhere, by their name in the suite. */
  readonly troubles: Readonly<Record<string, TroubleKind>>;
  /** Starts sessions, as a script elsewhere would. @returns their ids. */
  start(count: number): Promise<string[]>;
  /** Asks the server itself what is running. */
  running(): Promise<string[]>;
  /** Starts a session with an unknown status; undefined when the list has no statuses. */
  readonly startUnknown: (() => Promise<string>) | undefined;
  /** Adds a row to the list that isn't as documented; undefined when the server is a real one. */
  readonly addMalformed: (() => void) | undefined;
  /** Whether a probe of a session can tell that it is gone. */
  readonly probesGone: boolean;
  /** Makes the provider return this as the address of its live views, and of each page's; undefined if it has none. */
  readonly liveViewAt: ((address: string) => void) | undefined;
  /** How a hostile server responds to `listing`; undefined when the list isn't JSON over HTTP. */
  readonly hostile: HostileList | undefined;
  stop(): Promise<void>;
}
