import type { AccountFacts, Credentials } from '../core/account.ts';
import type { PageId, SessionId } from '../core/ids.ts';
import type { Inventory } from '../core/inventory.ts';
import type { LiveView, ViewMode } from '../core/liveView.ts';
import type {
  CredentialField,
  EndAnswer,
  EndingTerms,
  Link,
  Liveness,
  Provider,
  ProviderKind,
  ProviderWording,
} from '../core/provider.ts';
import type { Session } from '../core/session.ts';

/** One thing to ask the user for: by default it is required, and asked for whenever an account is added. */
export type FieldDefinition = Pick<CredentialField, 'id' | 'label' | 'prompt' | 'kind'> & Partial<CredentialField>;

/** One page of a list. Only `sessions` is required. */
export type ListPage = Pick<Inventory, 'sessions'> & Partial<Inventory>;

/** One page of groups that have finished. */
export type FinishedGroupsPage = Pick<Inventory, 'groups'> & Partial<Pick<Inventory, 'faults'>>;

/** The provider's answer to the request to end a session. It confirms nothing by itself; see {@link EndAnswer}. */
export type EndResponse = Pick<EndAnswer, 'outcome'> & Partial<EndAnswer>;

/** Where a session can be watched, and what the frame may do; see {@link LiveView}. */
export type LiveViewAddress = Pick<LiveView, 'url' | 'sandbox' | 'fixedMode'> & Partial<LiveView>;

type Loosened = 'ending' | 'check' | 'list' | 'end' | 'probe' | 'finishedGroups' | 'liveView';

/**
 * An account at a provider: a {@link Provider} whose answers may leave out what isn't known. Optional members are
 * capabilities: if one is missing, no command offers it. An error made by `providerError` says what is wrong. Any other
 * error is shown as an unexpected response, with its message.
 */
export interface ProviderConnection extends Omit<Provider, Loosened> {
  /** By default lists may be a few seconds late, and ends not confirmed within 30 s are reported as unconfirmed. */
  readonly ending?: Partial<EndingTerms> | undefined;
  /** Makes the cheapest request that fails when the key is wrong. */
  check(signal: AbortSignal): Promise<Partial<AccountFacts>>;
  /**
   * Lists the running sessions, page by page as they arrive: at least one page, even if it has no sessions. Ends normally only
   * when the list is complete. A page that it returns at its end counts, too.
   */
  list(signal: AbortSignal): AsyncIterable<ListPage>;
  /** Ends one session, as the user saw it when they confirmed. */
  end(session: Session, signal: AbortSignal): Promise<EndResponse>;
  /** Whether one session is still running. Without it, only lists can confirm an end. */
  probe?(session: Session, signal: AbortSignal): Promise<Liveness>;
  readonly finishedGroups?: ((signal: AbortSignal) => AsyncIterable<FinishedGroupsPage>) | undefined;
  /** An address that shows a session live. It is requested each time a live view opens. */
  readonly liveView?:
    | ((id: SessionId, page: PageId | undefined, mode: ViewMode, signal: AbortSignal) => Promise<LiveViewAddress>)
    | undefined;
}

/** A provider: a {@link ProviderKind} with only its necessary fields. */
export interface ProviderDefinition extends Pick<ProviderKind, 'id' | 'label' | 'summary' | 'keyPage'> {
  /** Name of a codicon; `globe` by default. */
  readonly icon?: string;
  /**
   * `preset` is the address of the provider's own service. Without one, `ask` must be true: the user is then asked for
   * an address, and `prompt` says what it belongs to.
   */
  readonly address: Partial<ProviderKind['address']>;
  /** What to ask the user for; nothing by default. */
  readonly fields?: readonly FieldDefinition[];
  /** Complete sentences in plain English for dialogs, such as "The browser closes. Unsaved work in it is lost.". */
  readonly wording: Pick<ProviderWording, 'ending'> & Partial<ProviderWording>;
  /** Where else the key may be sent; nowhere by default. */
  furtherAddresses?(origin: URL, credentials: Credentials): readonly URL[];
  /** Connects to one account. It sends nothing yet, and returns synchronously. */
  connect(link: Link): ProviderConnection;
}

/** Lets your editor and TypeScript check a provider while you write it. Returns its argument. */
export function defineProvider<Definition extends ProviderDefinition>(definition: Definition): Definition {
  return definition;
}
