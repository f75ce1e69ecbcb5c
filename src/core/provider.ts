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
  /** `withAddress` is for fields that few users need: asked for only when the user is asked for the address too. */
  readonly asked: 'always' | 'withAddress';
  /** Environment variables that usually hold it. */
  readonly environment: readonly string[];
  /** Whether a scheme in front of it, such as `Bearer`, is part of it; by default, one that is pasted is taken off. */
  readonly keepsScheme?: boolean;
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
  /** What the provider's sessions are, and which ones are skipped when several are ended at once. */
  readonly session: string;
  /** What is lost when a session ends, e.g. "Unsaved page state is lost.". */
  readonly ending: string;
  /** What the provider's "end everything" call ends besides the listed sessions; undefined where there is no such call. */
  readonly endEverything: string | undefined;
  /** What deleting a group deletes besides its running sessions; undefined where groups can't be deleted. */
  readonly deleteGroup: string | undefined;
  /** What an open live view costs or changes; undefined where watching has no effect. */
  readonly watching: string | undefined;
}

/** A provider, and what is known about it before an account is added. Adding one takes one file and one line in the list. */
export interface ProviderKind {
  /** Stable, lower camel case; stored with each account. */
  readonly id: string;
  readonly label: string;
  /** Name of a codicon. Accounts of built-in providers have icons of our own in the tree. */
  readonly icon: string;
  /** What its sessions are, in a few words without a period, for the list of providers. */
  readonly summary?: string;
  /** The provider's own page on which keys are made: opened in a browser when the user asks for it, never fetched. */
  readonly keyPage?: string;
  /** Whether its only account is added automatically. The user can't add any. */
  readonly isAutomatic?: boolean;
  readonly address: {
    /** The address of the provider's own service; undefined where the user must enter one. */
    readonly preset: string | undefined;
    /** Whether the user is asked for it even where there is a preset. */
    readonly ask: boolean;
    /** What the address belongs to, in a few words. */
    readonly prompt: string;
    readonly placeholder: string;
    /**
     * Environment variables that usually hold it; read only for built-in providers. A key beside one of them is meant for
     * that address, and for no other.
     */
    readonly environment?: readonly string[];
  };
  readonly fields: readonly CredentialField[];
  /** Only for built-in providers: VS Code supports only settings that package.json declares. */
  readonly settings: readonly ProviderSetting[];
  /**
   * Where else an account's key may be sent, derived only from what was saved with it. The prompt for the key names these
   * hosts, and they are saved with it: hosts derived later get nothing.
   */
  furtherAddresses(origin: URL, credentials: Credentials): readonly URL[];
  readonly wording: ProviderWording;
  /** Everything that accounts of this provider may support; {@link capabilitiesOf} says what one account does support. */
  readonly can: readonly Capability[];
  connect(link: Link): Provider;
}

/** An account's address and key, and the only ways to the network that an adapter has. */
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
  /**
   * Clients for a port of this machine, bound to 127.0.0.1; only for kinds without a key.
   * @throws ProviderError `unsupported` for any other.
   */
  localPort(port: number): Pick<Link, 'origin' | 'http' | 'cdp'>;
  /** Whether another account shows what listens at a port of this machine. */
  isShownElsewhere(port: number): boolean;
  /** Whether a port of this machine is another account's address, also if that shows nothing. */
  hasAccountAt(port: number): boolean;
  /** Whether the user has turned on one of the kind's settings. */
  setting(id: string): boolean;
  /** Bound to `origin` too: it dials no other host. */
  readonly cdp: CdpDialer;
  readonly clock: Clock;
}

/** A provider's answer to an end request. */
export interface EndAnswer {
  /**
   * None of them confirms the end. `ended` means that the server had the session and says it ended it, `accepted` that it
   * took the request, whether or not it has such a session, `alreadyGone` that it has no such running session. Where several
   * servers share an address, `alreadyGone` speaks for the one that was asked only.
   */
  readonly outcome: 'ended' | 'alreadyGone' | 'accepted';
  /** How it was ended, in a sentence, where a provider has several ways; undefined otherwise. */
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

/** How ending works at a provider. */
export interface EndingTerms {
  readonly lists: ListTerms;
  /** Whether lists leave out sessions that have no page at the moment. Only for `partial` lists. */
  readonly omitsEmpty?: boolean | undefined;
  /**
   * Most requests under way at once; undefined for as many as the connections to it carry: 32 over HTTP/1.1, and over HTTP/2
   * as many as the server allows.
   */
  readonly mostInFlight: number | undefined;
  /** Whether that many may be under way from the start instead of only a few, because no server could be overloaded. */
  readonly startsAtMost?: boolean | undefined;
  /**
   * Whether an ID may be given to another session later, whatever the lists are worth. True for every provider of another
   * extension. Where lists are `complete` or `partial`, it's always assumed.
   */
  readonly mayReuseIds?: boolean | undefined;
  /** Milliseconds after the last request until a session that isn't confirmed gone is called stuck. */
  readonly withinMs: number;
}

/** The terms of a cloud service, unless the provider says otherwise. */
export const usualEnding: EndingTerms = { lists: 'lagging', mostInFlight: undefined, withinMs: 30_000 };

/**
 * What a provider says about one session:
 * - `running`: it has it, and the session runs;
 * - `gone`: it has it, and says that the session ended, or that the id is another session's now;
 * - `notFound`: it knows no such session. During an outage, a provider may say so of every session, so it counts only
 *   when it is said twice, with a whole list in between;
 * - `unknown`: it can't say.
 */
export type Liveness = 'running' | 'gone' | 'notFound' | 'unknown';

/**
 * An account at a provider. An optional member is a capability: where it is missing, no command offers it. Capabilities may
 * come and go as more is learned about the provider, and are read again after each list.
 * Every member throws ProviderError and nothing else, and sends nothing more once its signal is aborted.
 */
export interface Provider {
  readonly ending: EndingTerms;
  /** The cheapest call that checks the key. */
  check(signal: AbortSignal): Promise<AccountFacts>;
  /** Lists the running sessions, page by page as they arrive. Ends normally only when the list is complete. */
  list(signal: AbortSignal): AsyncIterable<Inventory>;
  /**
   * Ends one session, as the user saw it when they confirmed. Where ids may be given to another session, what is under
   * this one is compared first, and `conflict` is thrown when it has become another: then nothing was sent. It throws
   * `notFound` only where the provider itself says so; see `HttpRequest.isOwnNotFound`.
   */
  end(session: Session, signal: AbortSignal): Promise<EndAnswer>;
  /** Whether it still runs; for when a list can't say. */
  probe(session: Session, signal: AbortSignal): Promise<Liveness>;
  /** The same for many sessions with fewer requests than one each. Sessions it can't tell about are left out. */
  readonly probeMany?:
    | ((sessions: readonly Session[], signal: AbortSignal) => Promise<ReadonlyMap<SessionId, Liveness>>)
    | undefined;
  /** The provider's "end everything" call. It also ends sessions that were never listed. */
  readonly endEverything?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Deletes a group, its running sessions and their data. */
  readonly deleteGroup?: ((id: GroupId, signal: AbortSignal) => Promise<GroupDeletion>) | undefined;
  /** Finished groups, with or without running sessions, page by page. `list` has only groups with running sessions. */
  readonly finishedGroups?: ((signal: AbortSignal) => AsyncIterable<Pick<Inventory, 'groups' | 'faults'>>) | undefined;
  /**
   * Looks up which sessions a group has made, where `list` may leave out that some of them are running. The next list has the
   * group then, with those that are.
   * @returns those that may be running although that list leaves them out.
   */
  readonly lookUpGroup?: ((id: GroupId, signal: AbortSignal) => Promise<readonly SessionId[]>) | undefined;
  /** Ends a group's running sessions, keeping the data. */
  readonly cancelGroup?: ((id: GroupId, signal: AbortSignal) => Promise<void>) | undefined;
  /** The pages of a session, where `Session.pages` is undefined. */
  readonly pages?: ((id: SessionId, signal: AbortSignal) => Promise<readonly Page[]>) | undefined;
  /**
   * Whether `pages` may be called for rows that are only drawn, without the user asking: true only if a call doesn't count as
   * a connection or as activity that keeps the session running, and costs nothing.
   */
  readonly mayLookUpPages?: boolean | undefined;
  /**
   * A new link to the provider's own live view of a session; of its first page where `page` is undefined.
   * `unsupported` where this session has none. Where the provider can, `watch` gives a view-only link.
   */
  readonly liveView?:
    | ((id: SessionId, page: PageId | undefined, mode: ViewMode, signal: AbortSignal) => Promise<LiveView>)
    | undefined;
  /** Connects to a session's browser, to show it where the provider has no live view. */
  readonly devtools?: ((id: SessionId, signal: AbortSignal) => Promise<SessionDevtools>) | undefined;
  /** A screenshot of a session, where the provider has a call for it. */
  readonly screenshot?: ((id: SessionId, signal: AbortSignal) => Promise<Screenshot>) | undefined;
  /** The address of a session's recording. `notFound` where there is none, or none yet. */
  readonly recording?: ((id: SessionId, signal: AbortSignal) => Promise<URL>) | undefined;
  /** The provider's own page about a session, for users who are signed in there. Holds no secret. */
  readonly dashboard?: ((id: SessionId) => URL) | undefined;
  /** How an ended session ended; undefined where the provider doesn't know. */
  readonly endCause?: ((id: SessionId, signal: AbortSignal) => Promise<EndCause | undefined>) | undefined;
}

/** A screenshot of a session. */
export interface Screenshot {
  readonly bytes: Uint8Array;
  readonly type: 'image/png' | 'image/jpeg';
}

/** The names of a provider's optional members. */
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

/** What this provider supports besides listing and ending. */
export function capabilitiesOf(provider: Provider): ReadonlySet<Capability> {
  return new Set(allCapabilities.filter((capability) => provider[capability] !== undefined));
}

/** The ways in which a session can be shown. */
export interface WaysToSee {
  /** It can be shown live in a panel. */
  readonly live: boolean;
  /** The provider has a live view whose link can be opened and copied. */
  readonly link: boolean;
  /** A screenshot can be taken. */
  readonly picture: boolean;
}

/** The ways in which a session can be shown. See `Session.canWatch` and `Session.canTakeScreenshot`. */
export function waysToSee(
  capabilities: ReadonlySet<Capability>,
  canWatch: boolean,
  canTakeScreenshot = canWatch,
): WaysToSee {
  const devtools = canWatch && capabilities.has('devtools');
  const link = canWatch && capabilities.has('liveView');
  return { live: link || devtools, link, picture: devtools || (canTakeScreenshot && capabilities.has('screenshot')) };
}
