import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { systemClock as clock } from './core/clock.ts';
import { Accounts } from './services/accounts.ts';
import { Connections } from './services/connections.ts';
import { PageLists } from './services/pageLists.ts';
import { ProviderKinds } from './services/providerKinds.ts';
import { Refresher } from './services/refresher.ts';
import { SessionStore } from './services/sessionStore.ts';
import { type BrowserSessionsApi, createApi } from './ui/api.ts';
import type { Testing } from './ui/commands/openCommands.ts';
import { registerCommands } from './ui/commands/register.ts';
import { openEditorNetwork } from './ui/editorNetwork.ts';
import { openLog } from './ui/log.ts';
import { openSessionsView } from './ui/tree/sessionsView.ts';

/** What tests inside VS Code get besides the API. */
export interface TestingApi extends BrowserSessionsApi {
  readonly testing: Testing & { readonly context: vscode.ExtensionContext };
}

/** Builds everything, once. What only a request or a command needs is loaded when the first one comes. */
export function activate(context: vscode.ExtensionContext): BrowserSessionsApi {
  if (vscode.l10n.bundle !== undefined) l10n.config({ contents: vscode.l10n.bundle });
  const { logger, channel } = openLog();
  const network = openEditorNetwork();
  const media = vscode.Uri.joinPath(context.extensionUri, 'media');
  const besideWorkbench = context.extension.extensionKind === vscode.ExtensionKind.UI;
  const testing: TestingApi['testing'] = { prompts: undefined, context };

  const loadHttp = lazy(async () => {
    const { openHttpClient, openTransport } = await import('./http/client.ts');
    const options = { transport: openTransport(network, clock), clock, logger };
    return (address: URL, secrets: readonly string[]) => openHttpClient(address, secrets, options);
  });
  const loadCdp = lazy(async () => (await import('./cdp/dialer.ts')).openCdpDialer(clock));
  const kinds = new ProviderKinds(async () => (await import('./providers/index.ts')).providerKinds);
  const accounts = new Accounts(context.secrets, context.globalState, clock.now, logger);
  const connections = new Connections(kinds, accounts, {
    http: (address, secrets) => {
      const client = lazy(async () => (await loadHttp())(address, secrets));
      return { send: async (request, signal) => (await client()).send(request, signal) };
    },
    cdp: { dial: async (address, signal) => (await loadCdp()).dial(address, signal) },
    clock,
  });

  const store = new SessionStore(clock.now);
  const interval = () => vscode.workspace.getConfiguration('browserSessions').get('refresh.interval', 10) * 1_000;
  const refresher = new Refresher({ store, accounts, connections, clock, logger, interval });
  const pages = new PageLists(store, connections, clock);
  const sessions = openSessionsView({ accounts, kinds, store, pages, refresher, now: clock.now });

  const loadCommands = lazy(async () => {
    const { openCommands } = await import('./ui/commands/openCommands.ts');
    const services = { accounts, kinds, connections, store, refresher };
    const opened = openCommands({ ...services, ...sessions, clock, logger, channel, media, besideWorkbench, testing });
    context.subscriptions.push(opened);
    return opened;
  });
  const commands = registerCommands(async (name, args) => (await loadCommands()).run(name, args), logger);

  context.subscriptions.push(commands, sessions.disposable, refresher, accounts, network, channel);
  const api = createApi(accounts, kinds, store, refresher);
  return context.extensionMode === vscode.ExtensionMode.Test ? withTesting(api, testing) : api;
}

function withTesting(api: BrowserSessionsApi, testing: TestingApi['testing']): TestingApi {
  return Object.defineProperty(api as TestingApi, 'testing', { value: testing });
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
