import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { type AccountId, type PageId, type SessionId, sessionId } from '../../core/ids.ts';
import type { LiveView } from '../../core/liveView.ts';
import { ProviderError } from '../../core/providerError.ts';
import { limitRequests } from '../../services/accounts/requestPace.ts';
import type { SessionStore } from '../../services/sessions/sessionStore.ts';
import { noteAnswers } from '../lastAnswer.ts';
import { openUnchanged } from '../openUrl.ts';
import type { Choice, Prompts } from '../prompts.ts';
import { accountHost } from '../text/names.ts';
import { troubleSentence } from '../text/troubles.ts';
import { linkCopied, singleUseCard } from '../text/watching.ts';
import { mayWatch } from './effects.ts';
import { KeyboardReturn } from './keyboardReturn.ts';
import { keepAlive, LivePanel, type LivePanelParts } from './livePanel.ts';
import { identityOf, type PanelButton, type PanelIdentity } from './messages.ts';
import { ThrottledRefresh } from './throttledRefresh.ts';
import { findPage, type LiveViewTarget, reachable } from './viewSource.ts';
import { liveViewType } from './viewType.ts';

/** Opens an address in a tab of the editor's own browser. This isn't an API, and not every editor has it. */
const integratedBrowser = 'workbench.action.browser.open';
const linkTimeoutMs = 15_000;
/** How often to redraw what changes with time, in milliseconds. */
const redrawMs = 30_000;

/** What {@link LiveViews} needs. */
export interface LiveViewsOptions
  extends Omit<LivePanelParts, 'throttledRefresh' | 'keyboardReturn' | 'onAccept' | 'onButton' | 'onChoose' | 'store'> {
  readonly store: SessionStore;
}

/** What {@link LiveViews} needs from the commands. */
export interface LiveViewsHost {
  readonly prompts: Prompts;
  /** Runs a command of this extension for a session. Resolves when it's done. */
  readonly run: (command: string, target: LiveViewTarget) => Thenable<unknown>;
  /**
   * Ends a session because the user pressed the panel's button. Resolves when it's done.
   * @param isCertain whether the button was clicked, and the session is the one that the panel was opened for, not another one
   * that got its ID since.
   */
  readonly endSession: (target: LiveViewTarget, isCertain: boolean) => Promise<void>;
}

/** The live view panels, one for each session and page. Closing one never ends a session. */
export class LiveViews implements vscode.Disposable {
  readonly #options: LiveViewsOptions;
  readonly #host: LiveViewsHost;
  readonly #panels = new Set<LivePanel>();
  readonly #throttledRefresh: ThrottledRefresh;
  readonly #keyboardReturn: KeyboardReturn;
  readonly #subscriptions: { dispose(): void }[];

  constructor(options: LiveViewsOptions, host: LiveViewsHost) {
    this.#options = options;
    this.#host = host;
    this.#throttledRefresh = new ThrottledRefresh(options.refresher);
    this.#keyboardReturn = new KeyboardReturn(options.clock);
    const { store, history } = options;
    const redraw = setInterval(() => this.#each((panel) => panel.redraw()), redrawMs);
    this.#subscriptions = [
      this.#throttledRefresh,
      this.#keyboardReturn,
      { dispose: () => clearInterval(redraw) },
      store.onDidChange((change) => {
        this.#each((panel) => {
          if (change.kind === 'accounts' || change.accountId === panel.target.accountId) panel.connection.follow();
        });
      }),
      store.onDidLeave(({ accountId, session, byYou }) => {
        this.#of(accountId, session.id, ({ connection }) => {
          connection.known.noteLeft();
          connection.onSessionUnlisted(byYou);
        });
      }),
      // A panel that was connected with the old key may show a session that the account no longer lists.
      options.connections.onDidClose((id) => {
        this.#each((panel) => {
          if (panel.target.accountId === id) panel.connection.followKey();
        });
      }),
      // More may be known about an end than when it was seen.
      history.onDidChange(() => this.#each((panel) => panel.connection.follow())),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(`browserSessions.${keepAlive}`))
          this.#each((panel) => panel.followVisibility());
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    for (const { panel } of [...this.#panels]) panel.dispose();
  }

  /** Whether a session, or one of its pages, is shown in a panel. */
  isOpen(account: AccountId, session: SessionId): boolean {
    let open = false;
    this.#of(account, session, (panel) => {
      open ||= panel.connection.isWatching;
    });
    return open;
  }

  /**
   * Shows a session, or one page of it, where the settings say: in a panel, unless they name a browser and the provider
   * has a page for it. A panel that already shows it is revealed.
   * @param column where a new panel opens.
   * @param keepFocus whether the focus stays where it is.
   * @param moves whether a panel that already shows it moves to the column.
   */
  async open(target: LiveViewTarget, column: vscode.ViewColumn, keepFocus: boolean, moves = false): Promise<void> {
    const openIn = this.#options.setting('liveView.openIn');
    if (openIn === 'external' && (await this.openExternal(target))) return;
    if (openIn === 'integratedBrowser' && (await this.#openIntegrated(target))) return;
    const known = this.#find(target);
    if (known !== undefined) {
      known.panel.reveal(moves ? column : undefined, keepFocus);
      return;
    }
    try {
      limitRequests(this.#options, target.accountId, 'viewing');
    } catch (error) {
      this.#tell(target, error);
      return;
    }
    const showIn = { viewColumn: column, preserveFocus: keepFocus };
    const panel = vscode.window.createWebviewPanel(liveViewType, '', showIn, {
      enableScripts: true,
      localResourceRoots: [this.#options.media],
      retainContextWhenHidden: this.#options.setting(keepAlive),
    });
    this.#adopt(new LivePanel(panel, target, this.#parts()));
  }

  /** Restores a panel after the window was reloaded. A panel without valid state is closed. */
  restore(panel: vscode.WebviewPanel, kept: unknown): void {
    const identity = identityOf(kept);
    if (identity === undefined || this.#find(keptTarget(identity)) !== undefined) {
      panel.dispose();
      return;
    }
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.#options.media] };
    this.#adopt(new LivePanel(panel, keptTarget(identity), this.#parts(), identity));
  }

  /**
   * Opens a session in the user's default browser. Asks first if watching has effects or the link works only once.
   * @returns false if the provider has no page for that. A request that fails is reported to the user.
   */
  async openExternal(target: LiveViewTarget): Promise<boolean> {
    return this.#withPage(target, async (url, view) => {
      if (await this.#mayOpen(target, view)) await openUnchanged(url);
    });
  }

  /** Copies a link with which anyone can watch. @returns false if the provider has none. */
  async copyLink(target: LiveViewTarget): Promise<boolean> {
    return this.#withPage(target, async ({ href }, view) => {
      await vscode.env.clipboard.writeText(href);
      this.#host.prompts.note(linkCopied(view));
    });
  }

  /** Adds a panel, which connects in the background. */
  #adopt(live: LivePanel): void {
    this.#panels.add(live);
    live.panel.onDidDispose(() => {
      this.#panels.delete(live);
      live.dispose();
    });
    void live.connection.connect();
  }

  /** The panel that shows a session or page, or else one that was opened for it and now shows another page. */
  #find(target: LiveViewTarget): LivePanel | undefined {
    const panels = [...this.#panels];
    const key = keyOf(target);
    return (
      panels.find((panel) => keyOf(panel.target) === key) ??
      (target.pageId === undefined ? panels.find((panel) => keyOf(panel.connection.openedFor) === key) : undefined)
    );
  }

  #parts(): LivePanelParts {
    return {
      ...this.#options,
      throttledRefresh: this.#throttledRefresh,
      keyboardReturn: this.#keyboardReturn,
      onButton: (panel, ...pressed) => void this.#press(panel, ...pressed),
      onChoose: ({ target }, pageId) => {
        const other = this.#find({ ...target, pageId });
        // Keeps the focus, because the user may be going through the pages by keyboard.
        other?.panel.reveal(undefined, true);
        return other !== undefined;
      },
      onAccept: () => this.#each((panel) => panel.connection.followConsent()),
    };
  }

  #each(visit: (panel: LivePanel) => void): void {
    for (const panel of [...this.#panels]) visit(panel);
  }

  #of(account: AccountId, session: SessionId, visit: (panel: LivePanel) => void): void {
    this.#each((panel) => {
      if (panel.target.accountId === account && panel.target.sessionId === session) visit(panel);
    });
  }

  async #press(live: LivePanel, button: PanelButton, byPointer: boolean): Promise<void> {
    if (button === 'openIn') await this.#openIn(live);
    else await this.#returningFocus(live, () => this.#act(live, button, byPointer));
  }

  /** Runs an action, and returns focus to the panel if the user has just answered a question that it asked. */
  async #returningFocus<T>(live: LivePanel, action: () => Promise<T>): Promise<T> {
    const { result, isJustAnswered } = await noteAnswers(action);
    if (isJustAnswered && this.#panels.has(live)) live.returnFocus();
    return result;
  }

  async #act(live: LivePanel, button: Exclude<PanelButton, 'openIn'>, byPointer: boolean): Promise<void> {
    const { target } = live;
    switch (button) {
      case 'copyLink':
        await this.copyLink(target);
        return;
      case 'openExternal':
        // The panel has already said that the link works only once.
        if (live.showsSingleUseLink) await this.#withPage(target, openUnchanged);
        else await this.openExternal(target);
        return;
      case 'showNext': {
        const { offered: next } = live.connection.known;
        const column = live.panel.viewColumn ?? vscode.ViewColumn.Active;
        if (next === undefined) return;
        live.panel.dispose();
        await this.open({ accountId: target.accountId, sessionId: next.id, pageId: undefined }, column, false);
        return;
      }
      case 'endSession':
        await this.#answered(
          target,
          // By key, or if the button had just moved there, it may have been meant for something else.
          this.#host.endSession(target, byPointer && live.connection.known.isStillTheFirst),
        );
        return;
      case 'openRecording':
      case 'openDashboard':
        await this.#answered(target, this.#host.run(button, { ...target, pageId: undefined }));
        return;
      default:
    }
  }

  /** Waits until the user has answered a command's dialog: until the command is done, or the session is ending. */
  async #answered({ accountId, sessionId: session }: LiveViewTarget, command: Thenable<unknown>): Promise<void> {
    const { store } = this.#options;
    const underWay = Promise.withResolvers<void>();
    const subscription = store.onDidChange(() => {
      if (store.life(accountId, session).kind === 'ending') underWay.resolve();
    });
    try {
      await Promise.race([command, underWay.promise]);
    } finally {
      subscription.dispose();
    }
  }

  async #openIn(live: LivePanel): Promise<void> {
    const { target } = live;
    const choice = (label: string, icon: string, value: () => Promise<unknown>, detail = '') => {
      return { label, icon, description: '', detail, heading: undefined, value } satisfies Choice<
        () => Promise<unknown>
      >;
    };
    const choices = [
      choice(l10n.t('External Browser'), 'link-external', () => this.openExternal(target)),
      ...((await hasIntegratedBrowser())
        ? [
            choice(
              l10n.t('Integrated Browser'),
              'globe',
              () => this.#openIntegrated(target),
              l10n.t(
                'VS Code stores the addresses of its browser tabs. Anyone with this address can watch the session.',
              ),
            ),
          ]
        : []),
      choice(l10n.t('Copy Link'), 'link', () => this.copyLink(target)),
    ];
    const title = l10n.t('Open Live View In');
    const placeholder = l10n.t('Select where to open the session');
    const answer = await this.#host.prompts.pick({ title, placeholder, choices, step: undefined });
    if (this.#panels.has(live)) live.returnFocus();
    if (answer.kind === 'answer') await this.#returningFocus(live, answer.value);
  }

  async #openIntegrated(target: LiveViewTarget): Promise<boolean> {
    if (!(await hasIntegratedBrowser())) return this.openExternal(target);
    return this.#withPage(target, async ({ href }, view) => {
      if (await this.#mayOpen(target, view)) await vscode.commands.executeCommand(integratedBrowser, href);
    });
  }

  /**
   * Asks before opening a link if watching has effects that the user hasn't accepted, or if the link works only once.
   */
  async #mayOpen({ accountId }: LiveViewTarget, { singleUse }: LiveView): Promise<boolean> {
    const { prompts } = this.#host;
    const open = l10n.t('Open Link');
    if (!(await mayWatch({ ...this.#options, prompts }, accountId, open))) return false;
    if (singleUse !== 'yes') return true;
    const { heading, lines } = singleUseCard();
    return (await prompts.confirm({ message: heading, detail: lines.join('\n'), choices: [open] })) === open;
  }

  /** Requests a new link and does something with it. The link isn't kept. */
  async #withPage(target: LiveViewTarget, use: (url: URL, view: LiveView) => Promise<void>): Promise<boolean> {
    try {
      limitRequests(this.#options, target.accountId, 'viewing');
      const view = await findPage(this.#options, target, AbortSignal.timeout(linkTimeoutMs));
      if (view === undefined) return false;
      await use(await reachable(view.url, this.#options.besideWorkbench), view);
    } catch (error) {
      this.#tell(target, error);
    }
    return true;
  }

  #tell({ accountId }: LiveViewTarget, error: unknown): void {
    const host = accountHost(this.#options.accounts.get(accountId));
    void this.#host.prompts.tell('error', troubleSentence(ProviderError.from(error), host), []);
  }
}

async function hasIntegratedBrowser(): Promise<boolean> {
  return (await vscode.commands.getCommands(true)).includes(integratedBrowser);
}

function keyOf({ accountId, sessionId: id, pageId }: LiveViewTarget): string {
  return `${accountId}/${id}/${pageId ?? ''}`;
}

/** The target that a panel stored; its ids have been checked. */
function keptTarget({ accountId, sessionId: id, pageId }: PanelIdentity): LiveViewTarget {
  return {
    accountId: accountId as LiveViewTarget['accountId'],
    sessionId: sessionId(id) satisfies SessionId,
    pageId: pageId as PageId | undefined,
  };
}
