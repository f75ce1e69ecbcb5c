import type { Account } from '../../src/core/account.ts';
import { type AccountId, sessionId } from '../../src/core/ids.ts';
import type { Inventory } from '../../src/core/inventory.ts';
import type { LocalBrowser } from '../../src/core/localBrowser.ts';
import { newSession } from '../../src/core/newSession.ts';
import type { Provider, ProviderKind } from '../../src/core/provider.ts';
import type { Session } from '../../src/core/session.ts';
import { providerKinds } from '../../src/providers/index.ts';
import { thisMachine } from '../../src/providers/local/thisMachine.ts';
import type { ListOutcome } from '../../src/services/sessions/sessionStore.ts';
import type { SessionsView } from '../../src/services/sessions/sessionsView.ts';
import { SessionNames } from '../../src/ui/sessionNames.ts';
import { settingValue } from '../../src/ui/settings.ts';
import { Arrangement, type ArrangementParts } from '../../src/ui/tree/arrangement.ts';
import type { TreeModel } from '../../src/ui/tree/children.ts';
import { TreeNodes } from '../../src/ui/tree/nodes.ts';

/** A running session about which only the given facts are known. */
export function someSession(id: string, more: Partial<Session> = {}): Session {
  return newSession(sessionId(id), { status: 'running', startedAt: Date.parse('2026-11-22T12:00:00Z'), ...more });
}

/**
 * All providers, with This Machine as a test says.
 * @param running the sessions that run there.
 * @param list called for each list of it.
 */
export function kindsWithMachine(
  running: () => readonly Session[],
  list: () => Pick<Inventory, 'sessions' | 'shownElsewhere'>,
  end: Provider['end'] = async () => ({ outcome: 'ended', how: undefined }),
): readonly ProviderKind[] {
  const machine: ProviderKind = {
    ...thisMachine,
    connect: () => ({
      ending: { lists: 'complete', mostInFlight: 1, withinMs: 5_000 },
      check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
      async *list() {
        yield { groups: [], faults: [], account: undefined, ...list() };
      },
      end,
      probe: async ({ id }) => (running().some((one) => one.id === id) ? 'running' : 'gone'),
    }),
  };
  return [...providerKinds.filter(({ id }) => id !== machine.id), machine];
}

/** What is known about a browser on this machine that was left behind. */
export function localBrowser(more: Partial<LocalBrowser> = {}): LocalBrowser {
  const profile = { folder: '/tmp/x', afterEnd: 'left' } as const;
  const nothing = { startedIn: undefined, port: undefined, memory: undefined, cpu: undefined };
  return { isLeftBehind: true, profile, ...nothing, ...more };
}

/** A complete list that confirms nothing: what it leaves out stays. */
export const keepingAll: ListOutcome = { gone: new Set(), complete: true, combined: false };

/** A complete list that confirms that everything it leaves out is gone. */
export function keepingOnly(store: SessionsView, account: AccountId, sessions: readonly Session[]): ListOutcome {
  const listed = new Set(sessions.map(({ id }) => id));
  const known = [...(store.state(account)?.contents.sessions.keys() ?? [])];
  return { ...keepingAll, gone: new Set(known.filter((id) => !listed.has(id))) };
}

/** A filter that shows everything. */
export const noFilter = { isOn: false, name: '', text: '', shows: () => true, showsAccount: () => true };

/** How the list shows sessions: unless told otherwise all of them, the newest first, in their batches. */
export function arranged(store: SessionsView, parts: Partial<Omit<ArrangementParts, 'store'>> = {}): Arrangement {
  const options = { sortBy: 'newest', grouping: { by: ['batch'], metadataKey: '' } } as const;
  return new Arrangement({
    store,
    changes: store.onDidChange,
    filter: noFilter,
    options,
    ratePerHour: () => undefined,
    now: () => 0,
    ...parts,
  });
}

/** The tree of some accounts as it is drawn with the default settings. @param accounts those that there are when it's asked. */
export function treeModel(
  store: SessionsView,
  accounts: () => readonly Account[],
  now: () => number,
  more: Partial<TreeModel> = {},
): TreeModel {
  return {
    store,
    nodes: new TreeNodes(),
    names: new SessionNames(store),
    details: () => settingValue('row.details', undefined),
    accounts,
    account: (id) => accounts().find((account) => account.id === id),
    kind: (id) => providerKinds.find((kind) => kind.id === id),
    now,
    isForThisWindow: () => false,
    ratePerHour: () => undefined,
    currency: () => 'USD',
    limit: () => 200,
    filter: noFilter,
    arranged: arranged(store),
    finished: () => undefined,
    isProtected: () => false,
    isMine: () => undefined,
    opensOnClick: () => true,
    ...more,
  };
}
