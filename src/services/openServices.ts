import type { Disposable } from '../core/event.ts';
import type { AccountId } from '../core/ids.ts';
import { lazy } from '../core/lazy.ts';
import type { Logger } from '../core/logger.ts';
import { loopbackUrl } from '../core/origin.ts';
import type { ProviderKind } from '../core/provider.ts';
import type { Memory, SecretStore } from '../core/storage.ts';
import { Accounts } from './accounts/accounts.ts';
import type { Network } from './accounts/connect.ts';
import { Connections } from './accounts/connections.ts';
import { ThisMachineAccount, thisMachineAccount } from './accounts/thisMachineAccount.ts';
import { History } from './history/history.ts';
import { OrderedMemory } from './orderedMemory.ts';
import { ProviderConsent } from './providers/providerConsent.ts';
import { ProviderKinds } from './providers/providerKinds.ts';
import type { PageLoader, PageLookups } from './sessions/pageLookups.ts';
import { Protections } from './sessions/protections.ts';
import { type Attention, Refresher } from './sessions/refresher.ts';
import { SessionStore } from './sessions/sessionStore.ts';
import { listsNothing } from './sessions/sessionsView.ts';

/** What the services need. */
export interface ServicesParts {
  readonly secrets: SecretStore;
  /** The editor's storage that all windows share. */
  readonly globalState: Memory;
  readonly loadProviders: () => Promise<readonly ProviderKind[]>;
  readonly network: Network;
  readonly logger: Logger;
  /** Whether there is any session on this machine, apart from browsers whose port another account shows. */
  readonly hasLocalSessions: (signal: AbortSignal, isShownElsewhere: (port: number) => boolean) => Promise<boolean>;
  /** What to call this machine in a remote window; undefined in a local one. */
  readonly place: string | undefined;
  /** What tells this machine apart from others in a remote window; undefined in a local one. */
  readonly machine: string | undefined;
  /** The current settings. */
  readonly settings: {
    /** Milliseconds between refreshes; 0 refreshes only on request. */
    readonly interval: () => number;
    /** Milliseconds between refreshes while the view is hidden and the window focused; 0 for none. */
    readonly background: () => number;
    readonly keepsHistory: () => boolean;
    /** Whether this machine's own browsers are shown. */
    readonly showsThisMachine: () => boolean;
  };
}

/** The whole extension except its user interface. */
export type Services = ReturnType<typeof openServices>;

/** Creates the services. What only a list or an end needs is loaded with the first one. */
export function openServices({
  secrets,
  globalState,
  loadProviders,
  network,
  logger,
  hasLocalSessions,
  place,
  machine,
  settings,
}: ServicesParts) {
  const { clock } = network;
  const memory = new OrderedMemory(globalState);
  const kinds = new ProviderKinds(loadProviders, {
    consent: new ProviderConsent(memory),
    accounts: () => accounts.all,
  });
  const accounts = new Accounts(secrets, memory, clock.now, logger, machine);
  const store = new SessionStore(clock.now, (id) => accounts.get(id)?.provider);
  const protections = new Protections(memory, store, accounts, clock);
  // Before the refresher makes the store forget the account's sessions. The automatic account only leaves the list for a while.
  const forgetting = accounts.onDidChange(({ removed }) => {
    if (removed !== undefined) void protections.forget(removed);
  });
  const connections = new Connections(kinds, accounts, network, (id) => listsNothing(store.state(id)));
  const loadEvidence = lazy(async () => new (await import('./ending/evidence.ts')).EvidenceLog());
  const refresher = new Refresher({
    store,
    evidence: loadEvidence,
    accounts,
    connections,
    clock,
    logger,
    interval: settings.interval,
    background: settings.background,
  });
  const isHereOnly = (id: AccountId) => loopbackUrl(accounts.get(id)?.origin ?? '') !== undefined;
  const keyAt = (id: AccountId) => accounts.keyAt(id);
  const loadJournal = lazy(async () => {
    return new (await import('./ending/journal.ts')).EndJournal(memory, clock, logger, { machine, isHereOnly, keyAt });
  });
  const history = new History(memory, store, accounts, clock.now, settings.keepsHistory, machine);
  const ownMachine = new ThisMachineAccount({
    accounts,
    store,
    clock,
    isEnabled: settings.showsThisMachine,
    interval: settings.interval,
    find: (signal) => hasLocalSessions(signal, (port) => connections.isAtPort(port, thisMachineAccount.id)),
    place,
  });
  const started = clock.after(0, () => history.followSetting());
  const disposables: Disposable[] = [started, forgetting, ownMachine, history, refresher, accounts];
  let attention: Attention = { visible: false, focused: false };
  let lookups: PageLookups | undefined;
  const loadLookups = lazy(async () => {
    lookups = new (await import('./sessions/pageLookups.ts')).PageLookups({ store, connections, clock });
    lookups.setAttention(attention);
    disposables.push(lookups);
    return lookups;
  });
  const pages: PageLoader = {
    load: async (...args) => (await loadLookups()).load(...args),
    draw: async (...drawn) => (await loadLookups()).draw(...drawn),
    setAttention: (now) => {
      attention = now;
      lookups?.setAttention(now);
    },
  };
  const loadEndCauses = lazy(async () => {
    const endCauses = new (await import('./history/endCauses.ts')).EndCauses(history, connections, logger);
    disposables.push(endCauses);
    return endCauses;
  });
  disposables.push(store.onDidLeave((leaving) => void loadEndCauses().then((endCauses) => endCauses.follow(leaving))));
  return {
    clock,
    logger,
    memory,
    kinds,
    accounts,
    connections,
    store,
    loadEvidence,
    refresher,
    pages,
    protections,
    loadJournal,
    history,
    ownMachine,
    dispose: () => {
      for (const one of disposables) one.dispose();
    },
  };
}
