import type { Disposable, Event } from '../core/event.ts';
import { type AccountId, accountId } from '../core/ids.ts';
import type { ProviderKind } from '../core/provider.ts';
import type { TroubleKind } from '../core/providerError.ts';
import type { SessionPhase } from '../core/session.ts';
import type { Accounts } from '../services/accounts.ts';
import type { ProviderKinds } from '../services/providerKinds.ts';
import type { Refresher } from '../services/refresher.ts';
import { type AccountState, type Life, type SessionsView, troubleOf } from '../services/sessionStore.ts';
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
   * Adds a vendor of your own, with everything that built-in ones have, until the result is disposed. VS Code does not
   * tell who calls: whoever adds a vendor is handed the keys that were saved for its id, as any extension could be. What
   * is sent through the link goes to the addresses only that the person was told of.
   * @throws TypeError when its id is taken or is not lower camel case.
   */
  registerProvider(kind: ProviderKind): Disposable;
}

/** Makes the exported API over what the tree shows. */
export function createApi(
  accounts: Accounts,
  kinds: ProviderKinds,
  store: SessionsView,
  refresher: Refresher,
): BrowserSessionsApi {
  return {
    apiVersion: 1,
    get accounts() {
      return accounts.all.map(({ id, provider, label, origin }): AccountSnapshot => {
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
    },
    sessions(account) {
      const ids = account === undefined ? accounts.all.map(({ id }) => id) : [accountId(account)];
      return ids.flatMap((id) => snapshots(store, id));
    },
    onDidChange: (listener) => store.onDidChange(() => listener()),
    refresh: () => refresher.refreshAll(),
    registerProvider: (kind) => kinds.register(kind),
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
    tags: session.tags,
  }));
}
