import { randomBytes } from 'node:crypto';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { AccountId, PageId, SessionId } from '../../core/ids.ts';
import type { LiveView } from '../../core/liveView.ts';
import { isLoopback } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Accounts } from '../../services/accounts.ts';
import type { Connections } from '../../services/connections.ts';
import type { ProviderKinds } from '../../services/providerKinds.ts';
import type { SessionsView } from '../../services/sessionStore.ts';
import { openUnchanged } from '../openUrl.ts';
import { accountHost, accountName, sessionName } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { type PanelBody, panelHtml } from './html.ts';

const viewType = 'browserSessions.liveView';
const timeoutMs = 15_000;

/** What live views work with. */
export interface LiveViewsOptions {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly connections: Connections;
  readonly store: SessionsView;
  /** The extension's folder `media`. */
  readonly media: vscode.Uri;
  /** Whether the extension runs beside the workbench, so that both mean the same machine by `localhost`. */
  readonly besideWorkbench: boolean;
}

interface Panel {
  readonly panel: vscode.WebviewPanel;
  readonly account: AccountId;
  readonly session: SessionId;
  readonly page: PageId | undefined;
  readonly name: string;
  ended: boolean;
}

/** The panels that show sessions live, one for each session and page. Closing one never ends a session. */
export class LiveViews implements vscode.Disposable {
  readonly #options: LiveViewsOptions;
  readonly #panels = new Map<string, Panel>();
  readonly #subscription: { dispose(): void };

  constructor(options: LiveViewsOptions) {
    this.#options = options;
    this.#subscription = options.store.onDidChange(() => this.#showEnded());
  }

  dispose(): void {
    this.#subscription.dispose();
    for (const { panel } of this.#panels.values()) panel.dispose();
  }

  /** Whether a session, or one of its pages, is shown in a panel. */
  isOpen(account: AccountId, session: SessionId): boolean {
    return [...this.#panels.values()].some((open) => open.account === account && open.session === session);
  }

  /** Shows a session, or one page of it, in a panel. */
  async open(account: AccountId, session: SessionId, page: PageId | undefined): Promise<void> {
    const key = `${account}/${session}/${page ?? ''}`;
    const known = this.#panels.get(key);
    if (known !== undefined) {
      known.panel.reveal();
      return;
    }
    const listed = this.#options.store.session(account, session);
    const name = listed === undefined ? plainText(session) : sessionName(listed);
    const panel = vscode.window.createWebviewPanel(viewType, l10n.t('Live: {0}', name), vscode.ViewColumn.Active, {
      enableScripts: true,
      localResourceRoots: [this.#options.media],
    });
    const opened: Panel = { panel, account, session, page, name, ended: false };
    this.#panels.set(key, opened);
    panel.iconPath = vscode.Uri.joinPath(this.#options.media, 'liveView.svg');
    panel.onDidDispose(() => this.#panels.delete(key));
    panel.webview.onDidReceiveMessage((message: unknown) => this.#obey(opened, message));
    await this.#load(opened);
  }

  /** Shows a session, or one page of it, in the person's own browser. */
  async openExternal(account: AccountId, session: SessionId, page: PageId | undefined): Promise<void> {
    try {
      const { url } = await this.#mint(account, session, page);
      await openUnchanged(await this.#reachable(url));
    } catch (error) {
      void vscode.window.showErrorMessage(this.#sentence(account, error));
    }
  }

  async #load(opened: Panel): Promise<void> {
    this.#show(opened, { kind: 'waiting' });
    let body: PanelBody;
    try {
      body = { kind: 'frame', view: await this.#framed(await this.#mint(opened.account, opened.session, opened.page)) };
    } catch (error) {
      body = { kind: 'sentence', text: this.#sentence(opened.account, error) };
    }
    if (!opened.ended) this.#show(opened, body);
  }

  /** Asks for an address anew each time: it may be for one use, and is kept nowhere. */
  async #mint(account: AccountId, session: SessionId, page: PageId | undefined): Promise<LiveView> {
    const provider = await this.#options.connections.open(account);
    if (provider.liveView === undefined) {
      throw new ProviderError({ kind: 'unsupported', what: l10n.t('A live view') }, 'the provider has no live view');
    }
    return provider.liveView(session, page, AbortSignal.timeout(timeoutMs));
  }

  /**
   * Editors that put an address of the remote machine below their own would give what is framed their own origin, and
   * with it what they keep there: that is not framed.
   */
  async #framed(view: LiveView): Promise<LiveView> {
    const url = await this.#reachable(view.url);
    if (url.pathname === view.url.pathname) return { ...view, url };
    throw new ProviderError(
      { kind: 'unsupported', what: l10n.t('Showing an address of the remote machine inside this editor') },
      'the editor maps loopback addresses below its own origin',
    );
  }

  /** An address on this machine is another one where the workbench runs elsewhere. */
  async #reachable(url: URL): Promise<URL> {
    if (this.#options.besideWorkbench || !isLoopback(url.hostname)) return url;
    // The origin alone: VS Code would decode the escaped characters of the rest.
    const outside = new URL((await vscode.env.asExternalUri(vscode.Uri.parse(url.origin, true))).toString(true));
    return new URL(outside.pathname.replace(/\/$/, '') + url.pathname + url.search + url.hash, outside.origin);
  }

  #obey(opened: Panel, message: unknown): void {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    if (message.type === 'reload' && !opened.ended) void this.#load(opened);
    else if (message.type === 'openExternal') void this.openExternal(opened.account, opened.session, opened.page);
  }

  #showEnded(): void {
    const { store } = this.#options;
    for (const opened of this.#panels.values()) {
      const state = store.state(opened.account);
      if (opened.ended || (state !== undefined && state.kind !== 'ready')) continue;
      if (state?.contents.sessions.has(opened.session) === true) continue;
      opened.ended = true;
      const text = state === undefined ? l10n.t('The account was removed.') : l10n.t('This session has ended.');
      this.#show(opened, { kind: 'sentence', text });
    }
  }

  #show({ panel, account, name }: Panel, body: PanelBody): void {
    const known = this.#options.accounts.get(account);
    const kind = known && this.#options.kinds.get(known.provider);
    const resource = (file: string) => panel.webview.asWebviewUri(vscode.Uri.joinPath(this.#options.media, file));
    panel.webview.html = panelHtml({
      name,
      account: known === undefined ? '' : accountName(known, kind),
      notice: kind?.wording.watching === undefined ? undefined : l10n.t(kind.wording.watching),
      body,
      styleUri: resource('liveView.css').toString(),
      scriptUri: resource('liveView.js').toString(),
      cspSource: panel.webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
    });
  }

  #sentence(account: AccountId, error: unknown): string {
    const known = this.#options.accounts.get(account);
    return troubleSentence(ProviderError.from(error), known === undefined ? '' : accountHost(known));
  }
}
