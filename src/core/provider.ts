import type { AccountFacts, Credentials } from './account.ts';
import type { CdpDialer, SessionDevtools } from './cdp.ts';
import type { Clock } from './clock.ts';
import type { GroupDeletion } from './group.ts';
import type { HttpClient } from './http.ts';
import type { GroupId, PageId, SessionId } from './ids.ts';
import type { Inventory } from './inventory.ts';
import type { LiveView, ViewMode } from './liveView.ts';
import type { Page } from './page.ts';
import type { EndCause, Session } from './session.ts';

/** One thing to ask a user for when an account is added. */
export interface CredentialField {
  /** Key in {@link Credentials}. */
  readonly id: string;
  readonly label: string;
  /** What it is and where it is found, in one sentence. */
  readonly prompt: string;
  /**
   * A `secret` is hidden while typed and taken out of every log and message. An `address` is checked and written as the
   * account's own is; see `parseAddress`.
   */
  readonly kind: 'secret' | 'text' | 'address';
  readonly required: boolean;
  /** `withAddress` is for what hardly anybody needs: asked for only when the user is asked for the address too. */
  readonly asked: 'always' | 'withAddress';
  /** Environment variables that usually hold it. */
  readonly environment: readonly string[];
}

/** A choice of the user's that all accounts of a provider share: the setting `browserSessions.<provider>.<id>`, off at first. */
export interface ProviderSetting {
  /** Lower camel case. */
  readonly id: string;
  /** What it does and what it costs, as the settings page shows it. */
  readonly description: string;
}

/** Sentences about a provider that dialogs and documents show. Plain English; the user interface translates them. */
export interface ProviderWording {
  /** What the provider's sessions are, and which of them ends of many leave alone. */
  readonly session: string;
  /** What is lost when a session ends, e.g. "Unsaved page state is lost.". */
  readonly ending: string;
  /** What the provider's one call for everything reaches beyond the listed sessions; undefined where there is none. */
  readonly endEverything: string | undefined;
  /** What deleting a group takes away beyond its running sessions; undefined where groups cannot be deleted. */
  readonly deleteGroup: string | undefined;
  /** What an open live view costs or changes; undefined where watching has no effect. */
  readonly watching: string | undefined;
}

/** A provider: all that is known before anybody has an account. Adding one is one file and one line in the list. */
export interface ProviderKind {
  /** Stable, lower camel case; stored with each account. */
  readonly id: string;
  readonly label: string;
  /** Name of a codicon. */
  readonly icon: string;
  readonly address: {
    /** Where the provider's own service is; undefined where there is none and the user must say. */
    readonly preset: string | undefined;
    /** Whether the user is asked for it even where there is a preset. */
    readonly ask: boolean;
    /** What it is the address of, in a few words. */
    readonly prompt: string;
    readonly placeholder: string;
  };
  readonly fields: readonly CredentialField[];
  /** Only for providers of this extension: VS Code knows no settings but those of its package.json. */
  readonly settings: readonly ProviderSetting[];
  /**
   * Where else an account's key may be sent, going by nothing but what was saved with it. The user is told of these
   * hosts when they are asked for the key, and they are saved with it: those that are derived later get nothing.
   */
  furtherAddresses(origin: URL, credentials: Credentials): readonly URL[];
  readonly wording: ProviderWording;
  /** All that an account of this provider may be able to do; what it can is for {@link capabilitiesOf} to say. */
  readonly can: readonly Capability[];
  connect(link: Link): Provider;
}

/** What an adapter gets to work with: an account's address and key, and the only ways to the network. */
export interface Link {
  readonly origin: URL;
  readonly credentials: Credentials;
  /** Bound to `origin`: nothing sent through it can reach another. */
  readonly http: HttpClient;
  /**
   * A client that is bound to one of the further addresses that were saved with the key.
   * @throws ProviderError `unsupported` for any other address.
   */
  httpTo(address: URL): HttpClient;
  /** Whether the user has turned on one of the kind's settings. */
  setting(id: string): boolean;
  /** Bound to `origin` too: it dials no other host. */
  readonly cdp: CdpDialer;
  readonly clock: Clock;
}

/** What a provider answered to an end. */
export interface EndAnswer {
  /**
   * None of them confirms the end. `ended` means that the server had the session and says it ended it, `accepted` that it
   * took the request, whether or not it has such a session, `alreadyGone` that it has no such running session. Where several
   * servers share an address, `alreadyGone` speaks for the one that was asked only.
   */
  readonly outcome: 'ended' | 'alreadyGone' | 'accepted';
  /** In which of several ways it was ended, in a sentence; undefined where a provider has but one. */
  readonly how: string | undefined;
}

/**
 * What a provider's lists are worth as evidence that a session has ended:
 * - `complete`: each list has every session;
 * - `partial`: a list may come from one of several workers behind one address, and has only that worker's sessions;
 * - `lagging`: a list may be a few seconds old;
 * - `unreliable`: a list may leave a running session out for as long as it runs.
 */
export type ListTerms = 'complete' | 'partial' | 'lagging' | 'unreliable';

/** What ends are like at a provider. */
export interface EndingTerms {
  readonly lists: ListTerms;
  /**
   * Most requests under way at once; undefined for as many as the connections to it carry: 32 over HTTP/1.1, and over HTTP/2
   * as many as the server allows.
   */
  readonly mostInFlight: number | undefined;
  /** Milliseconds after the last request until a session that isn't confirmed gone is called stuck. */
  readonly withinMs: number;
}

/** The terms of a cloud about which nothing else is known. */
export const usualEnding: EndingTerms = { lists: 'lagging', mostInFlight: undefined, withinMs: 30_000 };

/**
 * What a provider says about one session:
 * - `running`: it has it, and the session runs;
 * - `gone`: it has it, and says that the session ended, or that the id is another session's now;
 * - `notFound`: it knows no such session. While a provider is out of order it may say so of every session, so it counts only
 *   when it is said twice, with a whole list in between;
 * - `unknown`: it can't say.
 */
export type Liveness = 'running' | 'gone' | 'notFound' | 'unknown';

/**
 * An account at a provider. An optional member is a capability: where it is missing, nothing offers it. Capabilities may
 * come and go with what is found out about the provider; after each list they are looked at again.
 * Every member throws ProviderError and nothing else, and sends nothing more once its signal is aborted.
 */
export interface Provider {
  readonly ending: EndingTerms;
  /** The cheapest call that proves the key. */
  check(signal: AbortSignal): Promise<AccountFacts>;
  /** All that runs, page by page as it arrives. Ends normally only when nothing was left out. */
  list(signal: AbortSignal): AsyncIterable<Inventory>;
  /**
   * Ends one session, as the user saw it when they confirmed. Where ids may be given to another session, what is under
   * this one is compared first, and `conflict` is thrown when it has become another: then nothing was sent. It throws
   * `notFound` only where the provider itself says so; see `HttpRequest.isOwnNotFound`.
   */
  end(session: Session, signal: AbortSignal): Promise<EndAnswer>;
  /** Whether it still runs; for when a list can't say. */
  probe(session: Session, signal: AbortSignal): Promise<Liveness>;
  /** The same for many with fewer requests than one for each; a session that it cannot tell of is left out. */
  readonly probeMany?:
    | ((sessions: readonly Session[], signal: AbortSignal) => Promise<ReadonlyMap<SessionId, Liveness>>)
    | undefined;
  /** The provider's one call. It also ends sessions that no list has shown. */
  readonly endEverything?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Deletes a group, its running sessions and their data. */
  readonly deleteGroup?: ((id: GroupId, signal: AbortSignal) => Promise<GroupDeletion>) | undefined;
  /** Groups that are no longer being made, with or without sessions that run, page by page. `list` has only those with. */
  readonly finishedGroups?: ((signal: AbortSignal) => AsyncIterable<Pick<Inventory, 'groups' | 'faults'>>) | undefined;
  /** Ends a group's running sessions, keeping the data. */
  readonly cancelGroup?: ((id: GroupId, signal: AbortSignal) => Promise<void>) | undefined;
  /** The pages of a session, where `Session.pages` does not tell them. */
  readonly pages?: ((id: SessionId, signal: AbortSignal) => Promise<readonly Page[]>) | undefined;
  /**
   * The provider's own page that shows a session live, made anew each time; of its first page where `page` is undefined.
   * `unsupported` where this session has none. Where the provider can, `watch` gives an address that cannot steer.
   */
  readonly liveView?:
    | ((id: SessionId, page: PageId | undefined, mode: ViewMode, signal: AbortSignal) => Promise<LiveView>)
    | undefined;
  /** Connects to a session's browser, by which it can be shown where the provider has no page for that. */
  readonly devtools?: ((id: SessionId, signal: AbortSignal) => Promise<SessionDevtools>) | undefined;
  /** What a session shows now, where the provider has a call for it. */
  readonly screenshot?: ((id: SessionId, signal: AbortSignal) => Promise<Screenshot>) | undefined;
  /** Where the recording of a session can be seen. `notFound` where there is none, which may be not yet. */
  readonly recording?: ((id: SessionId, signal: AbortSignal) => Promise<URL>) | undefined;
  /** The provider's own page about a session, for whoever is signed in there. Holds no secret. */
  readonly dashboard?: ((id: SessionId) => URL) | undefined;
  /** How a session that is over came to its end, where the provider tells; undefined where it does not know. */
  readonly endCause?: ((id: SessionId, signal: AbortSignal) => Promise<EndCause | undefined>) | undefined;
}

/** A picture of what a session shows. */
export interface Screenshot {
  readonly bytes: Uint8Array;
  readonly type: 'image/png' | 'image/jpeg';
}

/** The names of what a provider may or may not be able to do. */
export type Capability = (typeof allCapabilities)[number];

/** Every {@link Capability}. */
export const allCapabilities = [
  'endEverything',
  'deleteGroup',
  'cancelGroup',
  'pages',
  'liveView',
  'devtools',
  'screenshot',
  'recording',
  'dashboard',
] as const satisfies readonly (keyof Provider)[];

/** What this provider can do beyond listing and ending. */
export function capabilitiesOf(provider: Provider): ReadonlySet<Capability> {
  return new Set(allCapabilities.filter((capability) => provider[capability] !== undefined));
}

/** In which ways a session can be looked at. */
export interface WaysToSee {
  /** It can be shown as it changes, in a panel. */
  readonly live: boolean;
  /** The provider has a page that shows it, whose address can be opened and copied. */
  readonly link: boolean;
  /** A picture of it can be taken. */
  readonly picture: boolean;
}

/** In which ways a session can be looked at. @param canWatch see `Session.canWatch`. */
export function waysToSee(capabilities: ReadonlySet<Capability>, canWatch: boolean): WaysToSee {
  const devtools = canWatch && capabilities.has('devtools');
  const link = canWatch && capabilities.has('liveView');
  return { live: link || devtools, link, picture: devtools || (canWatch && capabilities.has('screenshot')) };
}
