import { setTimeout as sleep } from 'node:timers/promises';
import * as l10n from '@vscode/l10n';
import type { Disposable } from '../../core/event.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { plainText } from '../../core/plainText.ts';
import { waysToSee } from '../../core/provider.ts';
import type { Memory } from '../../core/storage.ts';
import type { StartedBrowser, ThisMachine } from '../../core/thisMachine.ts';
import { hasUnfinishedEnds } from '../../services/ending/unfinished.ts';
import { type AddParts, addAccount } from '../commands/addAccount.ts';
import { forgetProfile, keepProfile, keepTrial } from './trialBrowsers.ts';
import { trialPage } from './trialPage.ts';

/** The port that people and tools usually use for DevTools. */
const usualPort = 9222;
const provider = 'localChrome';
/** How long after a session left the list its end may take to be reported, in milliseconds. */
const reportedWithinMs = 30_000;
const betweenLooksMs = 100;

/** What trying the extension needs. */
export interface TryItParts extends AddParts {
  readonly machine: () => Promise<ThisMachine>;
  readonly memory: Memory;
  readonly logger: Logger;
}

/** The session to show. */
export interface Watched {
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
}

/**
 * "Try It with a Browser on This Machine": finds a browser whose DevTools answer at the usual port, or starts one, and adds an
 * account for it. A browser that was started here exits when its last session has ended, or with the window.
 */
export class TrialOfExtension implements Disposable {
  readonly #parts: TryItParts;
  readonly #port: number;
  /** The browsers that were started here, with their accounts once these are added. */
  readonly #running = new Map<StartedBrowser, AccountId | undefined>();
  #underWay: Promise<Watched | undefined> | undefined;
  #isDisposed = false;

  constructor(parts: TryItParts, port = usualPort) {
    this.#parts = parts;
    this.#port = port;
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const browser of this.#running.keys()) void browser.close();
  }

  /** @returns what to show; undefined if there is no browser. A call during another one doesn't start a second browser. */
  find(): Promise<Watched | undefined> {
    const { prompts } = this.#parts;
    this.#underWay ??= prompts
      .busy(l10n.t('Looking for a browser on this machine…'), () => this.#find())
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }

  async #find(): Promise<Watched | undefined> {
    const machine = await this.#parts.machine();
    for (const id of this.#running.values()) {
      const known = id === undefined ? undefined : await this.#firstOf(id);
      if (known !== undefined) return known;
    }
    return (await this.#runningAt(machine)) ?? this.#start(machine);
  }

  /** A session of a browser that was already running. Opens nothing in it, because it may be the user's own. */
  async #runningAt(machine: ThisMachine): Promise<Watched | undefined> {
    const { accounts, logger } = this.#parts;
    if (!(await machine.hasDevtools(this.#port))) return undefined;
    const origin = `http://127.0.0.1:${this.#port}`;
    const known = accounts.all.find((one) => one.provider === provider && one.origin === origin);
    try {
      return await this.#firstOf(known?.id ?? (await this.#add({ origin })));
    } catch (error) {
      logger.warn(`Couldn't add the browser at ${origin}: ${plainText(String(error), 200)}`);
      return undefined;
    }
  }

  async #start(machine: ThisMachine): Promise<Watched | undefined> {
    const { prompts, accounts } = this.#parts;
    const profiles: string[] = [];
    const start = await machine.startBrowser((profile) => {
      profiles.push(profile);
      // If it can't be stored, the browser still deletes its profile, unless this window crashes.
      return keepProfile(this.#parts, profile).catch(() => {});
    });
    const kept = start.kind === 'started' ? start.browser.profile : undefined;
    // Those of browsers that didn't start are deleted by now.
    for (const profile of profiles) if (profile !== kept) await forgetProfile(this.#parts, profile);
    if (start.kind !== 'started') {
      void prompts.tell(
        'error',
        start.kind === 'notInstalled'
          ? l10n.t("Couldn't find Chrome, Chromium, or Edge on this machine. Install one of them, then try again.")
          : l10n.t("Couldn't start {0}. {1}", plainText(start.path, 120), plainText(start.said, 200)).trim(),
        [],
      );
      return undefined;
    }
    const { browser } = start;
    this.#running.set(browser, undefined);
    void browser.exited.then(() => this.#running.delete(browser));
    let id: AccountId | undefined;
    try {
      if (this.#isDisposed) throw new Error('The window was closed.');
      await browser.openPage(trialPage());
      id = await this.#add({ origin: browser.address, label: l10n.t('Trial Browser') });
      this.#running.set(browser, id);
      await keepTrial(this.#parts, id, browser);
      this.#closeWithLastSession(browser, id);
      const watched = await this.#firstOf(id);
      if (watched === undefined) throw new Error('The browser lists no session.');
      return watched;
    } catch (error) {
      await browser.close();
      await forgetProfile(this.#parts, browser.profile);
      if (id !== undefined && accounts.get(id) !== undefined) await accounts.remove(id);
      const said = error instanceof Error ? plainText(error.message, 200) : '';
      void prompts.tell('error', l10n.t("Couldn't connect to the browser that was started. {0}", said).trim(), []);
      return undefined;
    }
  }

  async #add(account: { readonly origin: string; readonly label?: string }): Promise<AccountId> {
    const id = await addAccount(this.#parts, [{ provider, ...account }]);
    if (id === undefined) throw new Error('The account was not added.');
    return id as AccountId;
  }

  /** A session of an account that can be watched: an isolated one if there is any, rather than the user's own window. */
  async #firstOf(id: AccountId): Promise<Watched | undefined> {
    const { store, refresher } = this.#parts;
    await refresher.refreshOnRequest(id);
    const all = [...(store.state(id)?.contents.sessions.values() ?? [])];
    const live = all.filter(({ canWatch }) => waysToSee(store.capabilities(id), canWatch).live);
    const first = live.find(({ bulkEndExclusion }) => bulkEndExclusion === undefined) ?? live[0];
    return first && { accountId: id, sessionId: first.id };
  }

  /** Called when the user has confirmed ending its session, which is all that this browser was started for. */
  #closeWithLastSession(browser: StartedBrowser, id: AccountId): void {
    const { store } = this.#parts;
    const subscription = store.onDidLeave(({ accountId }) => {
      if (accountId !== id || store.state(id)?.contents.sessions.size !== 0) return;
      subscription.dispose();
      void this.#closeOnceReported(browser);
    });
    void browser.exited.then(() => subscription.dispose());
  }

  /** Only the browser can confirm the end of its session, and nothing is reported once its account is removed. */
  async #closeOnceReported(browser: StartedBrowser): Promise<void> {
    const deadline = Date.now() + reportedWithinMs;
    while (hasUnfinishedEnds(this.#parts.memory) && Date.now() < deadline) await sleep(betweenLooksMs);
    await browser.close();
  }
}
