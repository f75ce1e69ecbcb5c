import type { AccountSnapshot, BrowserSessionsApi, SessionSnapshot } from '../api/browserSessions.ts';
import { type AccountId, accountId } from '../core/ids.ts';
import type { Accounts } from '../services/accounts/accounts.ts';
import { deepFreeze } from '../services/providers/foreignKind.ts';
import type { ClaimedExtension } from '../services/providers/providerConsent.ts';
import type { ProviderKinds } from '../services/providers/providerKinds.ts';
import type { Refresher } from '../services/sessions/refresher.ts';
import { knownPages, type SessionsView, troubleOf } from '../services/sessions/sessionsView.ts';
import { sessionName } from './text/names.ts';

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
    registerProvider(provider, id) {
      const extension = typeof id === 'string' ? findExtension(id) : undefined;
      if (extension === undefined) throw new TypeError('registerProvider: extensionId: There is no such extension');
      return kinds.register(provider, extension);
    },
  };
}

function snapshots(store: SessionsView, account: AccountId): SessionSnapshot[] {
  return [...(store.state(account)?.contents.sessions.values() ?? [])].map((session) => ({
    accountId: account,
    id: session.id,
    name: sessionName(session, knownPages(store, account, session.id)),
    phase: session.phase,
    life: store.life(account, session.id).kind,
    startedAt: session.startedAt,
    groupId: session.groupId,
    tags: [...session.tags],
  }));
}
