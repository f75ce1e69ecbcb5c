import { hostname } from 'node:os';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { BrowserSessionsApi } from './api/browserSessions.ts';
import { systemClock as clock } from './core/clock.ts';
import { onListenerError } from './core/event.ts';
import { lazy } from './core/lazy.ts';
import type { Logger } from './core/logger.ts';
import { plainText } from './core/plainText.ts';
import { machineId } from './local/machineId.ts';
import type { Network } from './services/accounts/connect.ts';
import { openServices } from './services/openServices.ts';
import { OrderedMemory } from './services/orderedMemory.ts';
import { createApi } from './ui/api.ts';
import type { Testing } from './ui/commands/openCommands.ts';
import { registerCommands, reviewLater } from './ui/commands/register.ts';
import { EndWithoutAsking } from './ui/endWithoutAsking.ts';
import { findExtension } from './ui/installedExtension.ts';
import { openLog } from './ui/log.ts';
import { openLater } from './ui/openLater.ts';
import { remoteMachine } from './ui/remoteMachine.ts';
import { settingsReader, written } from './ui/settings.ts';
import { backgroundInterval } from './ui/status/backgroundInterval.ts';
import { useLanguage } from './ui/text/locale.ts';
import { remotePlace } from './ui/text/remotePlace.ts';

/** What tests inside VS Code get besides the API. */
export interface TestingApi extends BrowserSessionsApi {
  readonly testing: Testing & { readonly context: vscode.ExtensionContext };
}

const configuration = () => vscode.workspace.getConfiguration('browserSessions');

/** Creates everything, once. What only a request or a command needs is loaded with the first one. */
export function activate(context: vscode.ExtensionContext): BrowserSessionsApi {
  useLanguage(vscode.env.language);
  if (vscode.l10n.bundle !== undefined) l10n.config({ contents: vscode.l10n.bundle });
  const log = openLog();
  const { logger } = log;
  const setting = settingsReader(configuration);
  const media = vscode.Uri.joinPath(context.extensionUri, 'media');
  const { http, network } = loadNetwork(context, logger);
  const besideWorkbench = context.extension.extensionKind === vscode.ExtensionKind.UI;
  const remoteWindow = { remoteName: vscode.env.remoteName, env: process.env, host: hostname() };
  const machine = async () => (await import('./local/thisMachine.ts')).thisMachine;
  const searchMachine = lazy(async () => (await import('./providers/local/findSessions.ts')).openSessionSearch());
  const services = openServices({
    secrets: context.secrets,
    globalState: context.globalState,
    loadProviders: async () => (await import('./providers/index.ts')).providerKinds,
    network,
    logger,
    hasLocalSessions: async (...args) => (await searchMachine())(...args),
    place: besideWorkbench ? undefined : remotePlace(remoteWindow),
    machine: besideWorkbench
      ? undefined
      : remoteMachine(remoteWindow, () => machineId(context.globalStorageUri.fsPath)),
    settings: {
      interval: () => setting('refresh.interval') * 1_000,
      background: () => backgroundInterval(setting),
      keepsHistory: () => setting('history.enabled'),
      showsThisMachine: () => setting('thisMachine.enabled'),
    },
  });
  const views = openLater(services, async () => {
    const { openViews } = await import('./ui/tree/openViews.ts');
    return openViews(services, new OrderedMemory(context.workspaceState), setting, { media, machine });
  });
  const endWithoutAsking = new EndWithoutAsking(services.memory, () => setting('confirm.endSession'));
  endWithoutAsking.follow();
  const testing: TestingApi['testing'] = { prompts: undefined, context };

  const commands = registerCommands(context.extension.packageJSON, logger, async () => {
    const { openCommands } = await import('./ui/commands/openCommands.ts');
    const opened = await views.opened();
    return openCommands({
      ...services,
      ...opened,
      evidence: await services.loadEvidence(),
      journal: await services.loadJournal(),
      finished: (await opened.loadFinished()).batches,
      pageLists: services.pages,
      setting,
      endWithoutAsking,
      checkFraming: async (...args) => (await http()).checkFraming(...args),
      showLog: log.show,
      media,
      machine,
      extensionId: context.extension.id,
      besideWorkbench,
      testing,
    });
  });
  context.subscriptions.push(
    onListenerError((error) => logger.error(`A listener failed: ${plainText(String(error), 200)}`)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      endWithoutAsking.follow();
      if (event.affectsConfiguration('browserSessions.history')) services.history.followSetting();
    }),
    commands,
    views,
    reviewLater(services),
    services,
    log,
  );
  const api = createApi({ ...services, findExtension });
  const isTest = context.extensionMode === vscode.ExtensionMode.Test;
  return Object.freeze(isTest ? Object.defineProperty(api, 'testing', { value: testing }) : api);
}

/** The ways to the network, loaded with the first request. */
function loadNetwork(context: vscode.ExtensionContext, logger: Logger) {
  const editor = lazy(async () => {
    const opened = (await import('./ui/editorNetwork.ts')).openEditorNetwork();
    context.subscriptions.push(opened);
    return opened;
  });
  const http = lazy(async () => {
    const { openHttpClient, openTransport } = await import('./http/client.ts');
    const { openFramingCheck } = await import('./http/framing.ts');
    const transport = openTransport(await editor(), clock);
    const client = (...[address, secrets, limits]: Parameters<Network['http']>) =>
      openHttpClient(address, secrets, { transport, clock, logger, limits });
    return { client, checkFraming: openFramingCheck(transport, clock) };
  });
  const cdp = lazy(async () => {
    const { openCdpDialer } = await import('./cdp/dialer.ts');
    const { sharedSecureContext } = await import('./http/certificates.ts');
    const editorNetwork = await editor();
    const tls = () => {
      const { systemCertificates, strictCertificates } = editorNetwork.settings();
      return { secureContext: sharedSecureContext(systemCertificates), rejectUnauthorized: strictCertificates };
    };
    return (origin: URL) => openCdpDialer(origin, clock, tls);
  });
  const network: Network = {
    http: (...args) => {
      const client = lazy(async () => (await http()).client(...args));
      return { send: async (request, signal) => (await client()).send(request, signal) };
    },
    cdp: (origin) => ({ dial: async (...args) => (await cdp())(origin).dial(...args) }),
    clock,
    setting: (kind, id) => written(configuration(), `${kind}.${id}`, 'application') === true,
  };
  return { http, network };
}
