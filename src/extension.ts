import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { BrowserSessionsApi } from './api/browserSessions.ts';
import { systemClock as clock } from './core/clock.ts';
import { onListenerError } from './core/event.ts';
import { isMineBy } from './core/ownership.ts';
import { plainText } from './core/plainText.ts';
import { Accounts } from './services/accounts.ts';
import type { Wires } from './services/connect.ts';
import { Connections } from './services/connections.ts';
import { EndJournal } from './services/ending/journal.ts';
import { History } from './services/history.ts';
import { OrderedMemory } from './services/orderedMemory.ts';
import type { PageLoader } from './services/pageLists.ts';
import { Protections } from './services/protections.ts';
import { type ClaimedExtension, ProviderConsent } from './services/providerConsent.ts';
import { ProviderKinds } from './services/providerKinds.ts';
import { Refresher } from './services/refresher.ts';
import { SessionStore } from './services/sessionStore.ts';
import { createApi } from './ui/api.ts';
import type { Testing } from './ui/commands/openCommands.ts';
import { type RunCommand, registerCommands } from './ui/commands/register.ts';
import { EndWithoutAsking } from './ui/endWithoutAsking.ts';
import { liveViewType } from './ui/liveView/viewType.ts';
import { openLog } from './ui/log.ts';
import { settingsReader, written } from './ui/settings.ts';
import { openEndedView } from './ui/tree/endedView.ts';
import { TreeFilter } from './ui/tree/filter.ts';
import type { FinishedView } from './ui/tree/finishedView.ts';
import { openSessionsView } from './ui/tree/sessionsView.ts';

/** What tests inside VS Code get besides the API. */
export interface TestingApi extends BrowserSessionsApi {
  readonly testing: Testing & { readonly context: vscode.ExtensionContext };
}

/** Where it is kept, for the workspace, that batches that have finished are shown. */
const finishedKey = 'showFinishedBatches';
const configuration = () => vscode.workspace.getConfiguration('browserSessions');
const setting = settingsReader(configuration);

/** Builds everything, once. What only a request or a command needs is loaded when the first one comes. */
export function activate(context: vscode.ExtensionContext): BrowserSessionsApi {
  if (vscode.l10n.bundle !== undefined) l10n.config({ contents: vscode.l10n.bundle });
  const { logger, channel } = openLog();
  context.subscriptions.push(
    onListenerError((error) => logger.error(`A listener failed: ${plainText(String(error), 200)}`)),
  );
  const loadNetwork = lazy(async () => {
    const network = (await import('./ui/editorNetwork.ts')).openEditorNetwork();
    context.subscriptions.push(network);
    return network;
  });
  const media = vscode.Uri.joinPath(context.extensionUri, 'media');
  const besideWorkbench = context.extension.extensionKind === vscode.ExtensionKind.UI;
  const testing: TestingApi['testing'] = { prompts: undefined, context };

  const loadHttp = lazy(async () => {
    const { openHttpClient, openTransport } = await import('./http/client.ts');
    const { openFramingCheck } = await import('./http/framing.ts');
    const transport = openTransport(await loadNetwork(), clock);
    return {
      client: (...[address, secrets, limits]: Parameters<Wires['http']>) =>
        openHttpClient(address, secrets, { transport, clock, logger, limits }),
      checkFraming: openFramingCheck(transport, clock),
    };
  });
  const loadCdp = lazy(async () => {
    const { openCdpDialer } = await import('./cdp/dialer.ts');
    const { sharedSecureContext } = await import('./http/certificates.ts');
    const network = await loadNetwork();
    const localTls = () => {
      const { systemCertificates, strictCertificates } = network.settings();
      return { secureContext: sharedSecureContext(systemCertificates), rejectUnauthorized: strictCertificates };
    };
    return (origin: URL) => openCdpDialer(origin, clock, localTls);
  });
  const memory = new OrderedMemory(context.globalState);
  const kinds = new ProviderKinds(async () => (await import('./providers/index.ts')).providerKinds, {
    consent: new ProviderConsent(memory),
    accounts: () => accounts.all,
  });
  const accounts = new Accounts(context.secrets, memory, clock.now, logger);
  const connections = new Connections(kinds, accounts, {
    http: (...asked) => {
      const client = lazy(async () => (await loadHttp()).client(...asked));
      return { send: async (request, signal) => (await client()).send(request, signal) };
    },
    cdp: (origin) => ({ dial: async (...asked) => (await loadCdp())(origin).dial(...asked) }),
    clock,
    setting: (kind, id) => written(configuration(), `${kind}.${id}`, 'application') === true,
  });

  const store = new SessionStore(clock.now, () => setting('groupByMetadataKey'));
  const interval = () => setting('refresh.interval') * 1_000;
  const evidence = lazy(async () => new (await import('./services/ending/evidence.ts')).EvidenceLog());
  const refresher = new Refresher({ store, evidence, accounts, connections, clock, logger, interval });
  const loadPages = lazy(async () => {
    const { PageLists } = await import('./services/pageLists.ts');
    return new PageLists(store, connections, clock);
  });
  const pages: PageLoader = { load: async (...asked) => (await loadPages()).load(...asked) };
  const protections = new Protections(memory, store);
  const journal = new EndJournal(memory, clock, logger);
  const history = new History(memory, store, accounts, clock.now, () => setting('history.enabled'));
  const followSettings = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('browserSessions.history')) history.followSetting();
  });
  const loadFates = lazy(async () => {
    const fates = new (await import('./services/fates.ts')).Fates(history, connections, logger);
    context.subscriptions.push(fates);
    return fates;
  });
  const followLeaving = store.onDidLeave((leaving) => void loadFates().then((fates) => fates.follow(leaving)));
  const workspaceMemory = new OrderedMemory(context.workspaceState);
  const filter = new TreeFilter({ accounts, kinds, store, memory: workspaceMemory });
  let finishedView: FinishedView | undefined;
  const finished = () => finishedView?.rows;
  const isMine = () => isMineBy(setting('mine'));
  const clickAction = () => setting('clickAction');
  const model = {
    accounts,
    kinds,
    store,
    pages,
    refresher,
    protections,
    filter,
    finished,
    isMine,
    clickAction,
    now: clock.now,
  };
  const sessions = openSessionsView(model);

  const loadFinished = lazy(async () => {
    const { openFinishedView } = await import('./ui/tree/finishedView.ts');
    const parts = { accounts, connections, store, memory: workspaceMemory, memoryKey: finishedKey, clock };
    finishedView = openFinishedView(parts, sessions.tree);
    context.subscriptions.push(finishedView);
    return finishedView;
  });
  if (workspaceMemory.get(finishedKey) === true) void loadFinished();

  const ended = openEndedView(history, store, clock.now);
  const loadCommands = lazy(async () => {
    const { openCommands } = await import('./ui/commands/openCommands.ts');
    const services = {
      accounts,
      kinds,
      connections,
      store,
      evidence: await evidence(),
      refresher,
      protections,
      journal,
      history,
      pageLists: pages,
      filter,
      finished: (await loadFinished()).batches,
    };
    const kept = { memory, setting, endWithoutAsking };
    const opened = openCommands({
      ...services,
      ...sessions,
      ...kept,
      checkFraming: async (...asked) => (await loadHttp()).checkFraming(...asked),
      clock,
      logger,
      channel,
      media,
      besideWorkbench,
      testing,
    });
    context.subscriptions.push(opened);
    return opened;
  });
  const endWithoutAsking = new EndWithoutAsking(memory, () => setting('confirm.endSession'));
  endWithoutAsking.follow();
  const run: RunCommand = async (name, args) => (await loadCommands()).run(name, args);
  const commands = registerCommands(context.extension.packageJSON, run, logger);
  const panels = vscode.window.registerWebviewPanelSerializer(liveViewType, {
    deserializeWebviewPanel: async (panel, state) => (await loadCommands()).restoreLiveView(panel, state),
  });

  if (!journal.isEmpty) {
    // Another window may be at it still.
    const review = () => void vscode.commands.executeCommand('browserSessions.reviewUnfinishedEnds');
    // Timers are early now and then, and then nothing would have been abandoned yet.
    context.subscriptions.push(clock.after(journal.settlesAfter + 100, review));
  }
  const settings = vscode.workspace.onDidChangeConfiguration(() => endWithoutAsking.follow());
  const views = [sessions.disposable, ended, panels, settings, followSettings];
  context.subscriptions.push(commands, ...views, followLeaving, history, refresher, accounts, channel);
  const api = createApi({ accounts, kinds, store, refresher, findExtension });
  return Object.freeze(context.extensionMode === vscode.ExtensionMode.Test ? withTesting(api, testing) : api);
}

function withTesting(api: BrowserSessionsApi, testing: TestingApi['testing']): TestingApi {
  return Object.defineProperty(api as TestingApi, 'testing', { value: testing });
}

/** An installed extension by its id, as it calls itself. */
function findExtension(id: string): ClaimedExtension | undefined {
  const found = vscode.extensions.getExtension(id);
  const name: unknown = found?.packageJSON?.displayName;
  return found && { id: found.id, name: typeof name === 'string' ? name : found.id };
}

/** Makes something once, when it is first asked for; what failed is made anew. */
function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made === undefined) {
      made = make();
      made.catch(() => {
        made = undefined;
      });
    }
    return made;
  };
}
