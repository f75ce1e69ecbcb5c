import type { Credentials } from './account.ts';
import type { CdpDialer } from './cdp.ts';
import type { Clock } from './clock.ts';
import type { GroupDeletion } from './group.ts';
import type { HttpClient } from './http.ts';
import type { GroupId, PageId, SessionId } from './ids.ts';
import type { Inventory } from './inventory.ts';
import type { LiveView } from './liveView.ts';
import type { Page } from './page.ts';
import type { Session } from './session.ts';

/** One thing to ask a person for when an account is added. */
export interface CredentialField {
  /** Key in {@link Credentials}. */
  readonly id: string;
  readonly label: string;
  /** What it is and where it is found, in one sentence. */
  readonly prompt: string;
  /** Hidden while typed, and taken out of every log and message. */
  readonly secret: boolean;
  readonly required: boolean;
  /** Environment variables that usually hold it. */
  readonly environment: readonly string[];
}

/** Sentences about a vendor that dialogs and documents show. Plain English; the user interface translates them. */
export interface ProviderWording {
  /** What is lost when a session ends, e.g. "Unsaved page state is lost.". */
  readonly ending: string;
  /** What the vendor's one call for everything reaches beyond the listed sessions; undefined where there is none. */
  readonly endEverything: string | undefined;
  /** What deleting a group takes away beyond its running sessions; undefined where groups cannot be deleted. */
  readonly deleteGroup: string | undefined;
  /** What an open live view costs or changes; undefined where watching has no effect. */
  readonly watching: string | undefined;
}

/** A vendor: all that is known before anybody has an account. Adding one is one file and one line in the list. */
export interface ProviderKind {
  /** Stable, lower camel case; stored with each account. */
  readonly id: string;
  readonly label: string;
  /** Name of a codicon. */
  readonly icon: string;
  readonly docsUrl: string;
  readonly address: {
    /** Where the vendor's own service is; undefined where there is none and the person must say. */
    readonly preset: string | undefined;
    /** Whether the person is asked for it even where there is a preset. */
    readonly ask: boolean;
    /** What it is the address of, in a few words. */
    readonly prompt: string;
    readonly placeholder: string;
  };
  readonly fields: readonly CredentialField[];
  readonly wording: ProviderWording;
  connect(link: Link): Provider;
}

/** What an adapter gets to work with: an account's address and key, and the only ways to the network. */
export interface Link {
  readonly origin: URL;
  readonly credentials: Credentials;
  /** Bound to `origin`: nothing sent through it can reach another. */
  readonly http: HttpClient;
  readonly cdp: CdpDialer;
  readonly clock: Clock;
}

/** What a vendor says of an account when its key is tried. */
export interface AccountFacts {
  /** Who the key belongs to, or what answers, in a few words. */
  readonly identity: string | undefined;
  /** How many sessions may run at once. */
  readonly sessionLimit: number | undefined;
}

/**
 * What a vendor answered to an end. None of them is proof: `accepted` means that it will happen, `ended` that the
 * vendor says it has, `alreadyGone` that the vendor knows no such running session.
 */
export type EndOutcome = 'ended' | 'alreadyGone' | 'accepted';

/** Whether a session still runs, asked for itself. */
export type Liveness = 'running' | 'gone' | 'unknown';

/**
 * An account at a vendor. An optional member is a capability: where it is missing, nothing offers it.
 * Every member throws ProviderError and nothing else, and sends nothing more once its signal is aborted.
 */
export interface Provider {
  /** The cheapest call that proves the key. */
  check(signal: AbortSignal): Promise<AccountFacts>;
  /** All that runs, page by page as it arrives. Ends normally only when nothing was left out. */
  list(signal: AbortSignal): AsyncIterable<Inventory>;
  /** Ends one session, as the person saw it when they confirmed: an adapter may refuse when it has become another. */
  end(session: Session, signal: AbortSignal): Promise<EndOutcome>;
  /** Whether it is really gone; for when a list cannot say. */
  probe(session: Session, signal: AbortSignal): Promise<Liveness>;
  /** The vendor's one call. It also ends sessions that no list has shown. */
  endEverything?(signal: AbortSignal): Promise<void>;
  /** Deletes a group, its running sessions and their data. */
  deleteGroup?(id: GroupId, signal: AbortSignal): Promise<GroupDeletion>;
  /** Ends a group's running sessions, keeping the data. */
  cancelGroup?(id: GroupId, signal: AbortSignal): Promise<void>;
  /** The pages of a session, where `Session.pages` does not tell them. */
  pages?(id: SessionId, signal: AbortSignal): Promise<readonly Page[]>;
  /** A live view, made anew each time; of the session's first page where `page` is undefined. */
  liveView?(id: SessionId, page: PageId | undefined, signal: AbortSignal): Promise<LiveView>;
}

/** The names of what a provider may or may not be able to do. */
export type Capability = 'endEverything' | 'deleteGroup' | 'cancelGroup' | 'pages' | 'liveView';

const allCapabilities: readonly Capability[] = ['endEverything', 'deleteGroup', 'cancelGroup', 'pages', 'liveView'];

/** What this provider can do beyond listing and ending. */
export function capabilitiesOf(provider: Provider): ReadonlySet<Capability> {
  return new Set(allCapabilities.filter((capability) => provider[capability] !== undefined));
}
