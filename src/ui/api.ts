import type { Disposable, Event } from '../core/event.ts';
import { type AccountId, accountId } from '../core/ids.ts';
import type { ProviderKind } from '../core/provider.ts';
import type { TroubleKind } from '../core/providerError.ts';
import type { SessionPhase } from '../core/session.ts';
import type { Accounts } from '../services/accounts.ts';
import { deepFreeze } from '../services/foreignKind.ts';
import type { ClaimedExtension } from '../services/providerConsent.ts';
import type { ProviderKinds } from '../services/providerKinds.ts';
import type { Refresher } from '../services/refresher.ts';
import { type AccountState, type Life, type SessionsView, troubleOf } from '../services/sessionsView.ts';
import { sessionName } from './words/names.ts';

/** An account as other extensions see it. */
export interface AccountSnapshot {
  readonly id: string;
  readonly provider: string;
  readonly label: string;
  readonly origin: string;
  readonly state: AccountState['kind'];
  /** When its last complete list was had, in epoch milliseconds. */
  readonly asOf: number | undefined;
  readonly trouble: TroubleKind | undefined;
}

/** A session as other extensions see it: what the tree shows, without any secret, live view or CDP address. */
export interface SessionSnapshot {
  readonly accountId: string;
  readonly id: string;
  readonly name: string;
  readonly phase: SessionPhase;
  readonly life: Life['kind'];
  /** Epoch milliseconds; undefined where the vendor does not say. */
  readonly startedAt: number | undefined;
  readonly groupId: string | undefined;
  readonly tags: readonly string[];
}

/** What `extensions.getExtension('browser-sessions.browser-sessions').exports` is. */
export interface BrowserSessionsApi {
  readonly apiVersion: 1;
  readonly accounts: readonly AccountSnapshot[];
  sessions(accountId?: string): readonly SessionSnapshot[];
  /** Fires whenever `accounts` or `sessions` may have become another. */
  readonly onDidChange: Event<void>;
  /** Resolves when every account has answered or failed. */
  refresh(): Promise<void>;
  /**
   * Adds a provider of your own, with everything that built-in ones have, until the result is disposed. A copy of `kind` is
   * made; changing it later has no effect. Before its first account is added the user is asked whether your extension may
   * receive the keys that they save for it.
   * @param extensionId your extension's id, `publisher.name`, so that the user is told which extension it is and keys saved
   * for it go to no other. VS Code doesn't tell who calls, so the user is told that nobody has checked it.
   * @throws TypeError that names the field that is missing or wrong; when the id of the provider is taken, or keys are saved
   * under it that were not saved for your extension; when there is no extension with that id.
   */
  registerProvider(kind: ProviderKind, extensionId?: string): Disposable;
}

/** What the exported API is made from. */
export interface ApiParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly store: SessionsView;
  readonly refresher: Refresher;
  /** An installed extension by its id. */
  readonly findExtension: (id: string) => ClaimedExtension | undefined;
}

/** Makes the exported API over what the tree shows. All that it hands out is frozen and shares nothing with the store. */
export function createApi({ accounts, kinds, store, refresher, findExtension }: ApiParts): BrowserSessionsApi {
  return {
    apiVersion: 1,
    get accounts() {
      const all = accounts.all.map(({ id, provider, label, origin }): AccountSnapshot => {
        const state = store.state(id);
        return {
          id,
          provider,
          label,
          origin,
          state: state?.kind ?? 'disconnected',
          asOf: state?.kind === 'ready' ? state.asOf : undefined,
          trouble: state && troubleOf(state)?.trouble.kind,
        };
      });
      return deepFreeze(all);
    },
    sessions(account) {
      const ids = account === undefined ? accounts.all.map(({ id }) => id) : [accountId(account)];
      return deepFreeze(ids.flatMap((id) => snapshots(store, id)));
    },
    onDidChange(listener) {
      if (typeof listener !== 'function') throw new TypeError('onDidChange: Expected a function');
      return store.onDidChange(() => listener());
    },
    refresh: () => refresher.refreshAll(),
    registerProvider(kind, id) {
      if (id === undefined) return kinds.register(kind);
      const extension = typeof id === 'string' ? findExtension(id) : undefined;
      if (extension === undefined) throw new TypeError('registerProvider: extensionId: There is no such extension');
      return kinds.register(kind, extension);
    },
  };
}

function snapshots(store: SessionsView, account: AccountId): SessionSnapshot[] {
  return [...(store.state(account)?.contents.sessions.values() ?? [])].map((session) => ({
    accountId: account,
    id: session.id,
    name: sessionName(session),
    phase: session.phase,
    life: store.life(account, session.id).kind,
    startedAt: session.startedAt,
    groupId: session.groupId,
    tags: [...session.tags],
  }));
}
