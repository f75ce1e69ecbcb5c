import * as l10n from '@vscode/l10n';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { withoutValues } from '../../core/maskedAddress.ts';
import { plainText } from '../../core/plainText.ts';
import { type Capability, type Screenshot, waysToSee } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Memory } from '../../core/storage.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import { limitRequests } from '../../services/accounts/requestPace.ts';
import { costOf } from '../../services/sessions/cost.ts';
import { knownPages } from '../../services/sessions/sessionsView.ts';
import type { Documents } from '../documents.ts';
import { mayWatch } from '../liveView/effects.ts';
import { shownName } from '../sessionNames.ts';
import type { ReadSetting } from '../settings.ts';
import { detailsText } from '../text/details.ts';
import { accountHost, pageName, shortId } from '../text/names.ts';
import { troubleSentence } from '../text/troubles.ts';
import { missingSentence } from './lists.ts';
import {
  pickOne,
  sessionChoices,
  sessionsOf,
  sessionTarget,
  type TargetParts,
  targetOfOne,
  wholeAccount,
} from './targets.ts';

/** What commands that show or copy something of a session need. */
export interface InspectParts extends TargetParts {
  readonly connections: Connections;
  readonly documents: Documents;
  readonly memory: Memory;
  readonly setting: ReadSetting;
  readonly copyText: (text: string) => Promise<void>;
  /** Opens a URL in the user's default browser. */
  readonly openUrl: (url: URL) => Promise<void>;
}

const timeoutMs = 20_000;

/** Opens the provider's own page about a session, even if the session has ended. */
export async function openDashboard(parts: InspectParts, args: readonly unknown[]): Promise<void> {
  const none = l10n.t('No running session has a dashboard page.');
  const target = await capableTarget(parts, args, l10n.t('Open Dashboard'), none, 'dashboard');
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  await telling(parts, accountId, l10n.t('There is no dashboard page of this session.'), async () => {
    const url = (await parts.connections.open(accountId)).dashboard?.(sessionId);
    if (url === undefined) void parts.prompts.tell('info', none, []);
    else await parts.openUrl(url);
  });
}

/** Opens the recording of a session, even if the session has ended. */
export async function openRecording(parts: InspectParts, args: readonly unknown[]): Promise<void> {
  const none = l10n.t('No running session has a recording.');
  const target = await capableTarget(parts, args, l10n.t('Open Recording'), none, 'recording');
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  await telling(
    parts,
    accountId,
    l10n.t('There is no recording of this session. If it just ended, try again later.'),
    async () => {
      const provider = await parts.connections.open(accountId);
      limitRequests(parts, accountId, 'viewing');
      const url = await provider.recording?.(sessionId, AbortSignal.timeout(timeoutMs));
      if (url === undefined) void parts.prompts.tell('info', none, []);
      else await parts.openUrl(url);
    },
  );
}

/** Opens a screenshot of a session or page. It isn't written to disk until the user saves it. */
export async function takeScreenshot(parts: InspectParts, args: readonly unknown[]): Promise<void> {
  const { store, connections, documents } = parts;
  const none = l10n.t('None of the running sessions supports screenshots.');
  const title = l10n.t('Take Screenshot');
  const target = await sessionTarget(parts, args, title, none, ({ accountId, session }) => {
    return waysToSee(store.capabilities(accountId), session.canWatch, session.canTakeScreenshot).picture;
  });
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  const pageId = targetOfOne(args)?.pageId;
  await telling(parts, accountId, l10n.t("Couldn't find this session or page. It may have closed."), async () => {
    const provider = await connections.open(accountId);
    limitRequests(parts, accountId, 'viewing');
    let picture: Screenshot | undefined;
    const canWatch = store.session(accountId, sessionId)?.canWatch ?? true;
    // The provider's own call takes screenshots of whole sessions only; a single page needs DevTools.
    if (pageId !== undefined && provider.devtools === undefined) {
      void parts.prompts.tell(
        'info',
        l10n.t("Can't take a screenshot of a single page here. Take one of the session instead."),
        [],
      );
      return;
    }
    if (provider.devtools !== undefined && canWatch) {
      // A DevTools connection has the same effects as a live view; the provider's own call doesn't.
      if (!(await mayWatch(parts, accountId, title))) return;
      const signal = AbortSignal.timeout(timeoutMs);
      const devtools = await provider.devtools(sessionId, signal);
      try {
        const { takeScreenshot: take } = await import('../../cdp/screenshot.ts');
        picture = await take(devtools, pageId, signal);
      } finally {
        devtools.connection.dispose();
      }
    } else picture = await provider.screenshot?.(sessionId, AbortSignal.timeout(timeoutMs));
    if (picture === undefined) {
      void parts.prompts.tell('info', none, []);
      return;
    }
    const name = documentName(parts, accountId, sessionId);
    // The user's own time of day. Not every file system allows colons in names.
    const time = new Date(parts.clock.now()).toTimeString().slice(0, 8).replaceAll(':', '-');
    const ending = picture.type === 'image/png' ? 'png' : 'jpg';
    await documents.show(`${accountId}/${sessionId}`, `${name} ${time}.${ending}`, picture.bytes);
  });
}

/** Shows what is known about a session as read-only JSON. */
export async function showDetails(parts: InspectParts, args: readonly unknown[]): Promise<void> {
  const target = await anySession(parts, args, l10n.t('Show Details'));
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  const text = details(parts, accountId, sessionId);
  if (text === undefined) void parts.prompts.tell('info', missingSentence(parts, accountId, sessionId), []);
  else {
    const name = `${documentName(parts, accountId, sessionId)}.json`;
    await parts.documents.show(`${accountId}/${sessionId}`, name, Buffer.from(text));
  }
}

/** Copies what {@link showDetails} shows. */
export async function copyJson(parts: InspectParts, args: readonly unknown[]): Promise<void> {
  const target = await anySession(parts, args, l10n.t('Copy as JSON'));
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  const text = details(parts, accountId, sessionId);
  if (text === undefined) {
    void parts.prompts.tell('info', missingSentence(parts, accountId, sessionId), []);
    return;
  }
  await parts.copyText(text);
  parts.prompts.note(l10n.t('Details copied.'));
}

/** Copies the complete URL of a page, including its query, because it's the user's own page. */
export async function copyPageUrl(parts: InspectParts, args: readonly unknown[]): Promise<string | undefined> {
  const { store } = parts;
  const pages = (accountId: AccountId, sessionId: SessionId) => knownPages(store, accountId, sessionId) ?? [];
  const named = targetOfOne(args);
  let url: string | undefined;
  if (named?.sessionId !== undefined && named.pageId !== undefined) {
    url = pages(named.accountId, named.sessionId).find(({ id }) => id === named.pageId)?.url;
    if (url === undefined) void parts.prompts.tell('info', l10n.t('This page is no longer listed.'), []);
  } else {
    const choices = (await sessionChoices(parts)).flatMap((choice) =>
      pages(choice.value.accountId, choice.value.session.id).map((page) => ({
        ...choice,
        label: pageName(page),
        description: choice.label,
        detail: plainText(withoutValues(page.url), 200),
        value: page.url,
      })),
    );
    const none = l10n.t('No pages are loaded yet. Expand a session in the Sessions view to load its pages.');
    url = await pickOne(parts, l10n.t('Copy Page URL'), l10n.t('Select a page'), none, choices);
  }
  if (url === undefined) return undefined;
  await parts.copyText(url);
  parts.prompts.note(l10n.t('Page URL copied.'));
  return url;
}

function anySession(parts: InspectParts, args: readonly unknown[], title: string) {
  return sessionTarget(parts, args, title, l10n.t('No sessions are running.'), () => true);
}

function capableTarget(
  parts: InspectParts,
  args: readonly unknown[],
  title: string,
  none: string,
  capability: Capability,
) {
  return sessionTarget(parts, args, title, none, ({ accountId }) =>
    parts.store.capabilities(accountId).has(capability),
  );
}

/**
 * The name of a session's documents. VS Code writes editor names to disk, so the session's name is only used while the
 * history is turned on.
 */
function documentName({ store, setting }: InspectParts, accountId: AccountId, sessionId: SessionId): string {
  const session = store.session(accountId, sessionId);
  return session === undefined || !setting('history.enabled')
    ? shortId(sessionId)
    : shownName(store, accountId, session).name;
}

function details(parts: InspectParts, accountId: AccountId, sessionId: SessionId): string | undefined {
  const account = parts.accounts.get(accountId);
  const [target] = sessionsOf(parts, [{ ...wholeAccount(accountId), sessionId }]);
  if (account === undefined || target === undefined) return undefined;
  const { clock, setting, store } = parts;
  const rate = setting('cost.ratePerHour').get(account.provider);
  const cost = costOf(target.session, store.startOf(accountId, sessionId)?.at, rate, clock.now());
  return detailsText(account, target.session, store, cost && { cost, currency: setting('cost.currency') });
}

/** Runs a provider request, and shows an error if it fails. @param gone what to say if the provider finds nothing. */
async function telling(
  { accounts, prompts }: InspectParts,
  accountId: AccountId,
  gone: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (caught) {
    const error = ProviderError.from(caught);
    const sentence = troubleSentence(error, accountHost(accounts.get(accountId)));
    void prompts.tell('error', error.trouble.kind === 'notFound' ? gone : sentence, []);
  }
}
