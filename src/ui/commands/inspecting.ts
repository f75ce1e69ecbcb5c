import * as l10n from '@vscode/l10n';
import type { AccountId, PageId, SessionId } from '../../core/ids.ts';
import { withoutValues } from '../../core/maskedAddress.ts';
import { plainText } from '../../core/plainText.ts';
import { type Capability, type Screenshot, waysToSee } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { knownPages } from '../../services/sessionsView.ts';
import { mayWatch } from '../liveView/effects.ts';
import { detailsText } from '../words/details.ts';
import { accountHost, pageName, sessionName, shortId } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { type CommandContext, missingSentence } from './context.ts';
import { pickOne, sessionChoices, sessionsOf, sessionTarget, targetsOf, wholeAccount } from './targets.ts';

const timeoutMs = 20_000;

/** Opens the vendor's own page about a session, also of one that has ended. */
export async function openDashboard(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const none = l10n.t('No running session has a page of its own at its provider.');
  const target = await capableTarget(context, args, l10n.t('Open Dashboard'), none, 'dashboard');
  if (target === undefined) return;
  const url = (await context.connections.open(target.accountId)).dashboard?.(target.sessionId);
  if (url === undefined) void context.prompts.tell('info', none, []);
  else await context.openUrl(url);
}

/** Opens the recording of a session, also of one that has ended. */
export async function openRecording(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const none = l10n.t('No running session has a recording.');
  const target = await capableTarget(context, args, l10n.t('Open Recording'), none, 'recording');
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  await telling(context, accountId, l10n.t('There is no recording, or not yet.'), async () => {
    const provider = await context.connections.open(accountId);
    const url = await provider.recording?.(sessionId, AbortSignal.timeout(timeoutMs));
    if (url === undefined) void context.prompts.tell('info', none, []);
    else await context.openUrl(url);
  });
}

/** Opens a picture of what a session or page shows now. It is on no disk until the person saves it. */
export async function takeScreenshot(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const { store, connections, documents } = context;
  const none = l10n.t('No picture can be taken of any running session.');
  const title = l10n.t('Take Screenshot');
  const target = await sessionTarget(context, args, title, none, ({ accountId, session }) => {
    return waysToSee(store.capabilities(accountId), session.watchable).picture;
  });
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  const pageId = targetsOf(context, args)[0]?.pageId;
  await telling(context, accountId, l10n.t('That session or page is not there any longer.'), async () => {
    const provider = await connections.open(accountId);
    let picture: Screenshot | undefined;
    // The vendor's own call knows sessions only; a page is for DevTools.
    if (pageId !== undefined && provider.devtools === undefined) {
      void context.prompts.tell(
        'info',
        l10n.t('Of a page alone no picture can be taken here; of its session one can.'),
        [],
      );
      return;
    }
    if (provider.devtools !== undefined) {
      // A connection like that of a live view, which a vendor's own call is not.
      if (!(await mayWatch(context, accountId, title))) return;
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
      void context.prompts.tell('info', none, []);
      return;
    }
    const name = nameOf(context, accountId, sessionId);
    const time = new Date(context.now()).toISOString().slice(11, 19).replaceAll(':', '-');
    const ending = picture.type === 'image/png' ? 'png' : 'jpg';
    await documents.show(`${accountId}/${sessionId}`, `${name} ${time}.${ending}`, picture.bytes);
  });
}

/** Shows what is known of a session as JSON that can only be read. */
export async function showDetails(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const target = await anySession(context, args, l10n.t('Show Details'));
  if (target === undefined) return;
  const { accountId, sessionId } = target;
  const text = details(context, accountId, sessionId);
  if (text === undefined) void context.prompts.tell('info', missingSentence(context, accountId, sessionId), []);
  else {
    const name = `${nameOf(context, accountId, sessionId)}.json`;
    await context.documents.show(`${accountId}/${sessionId}`, name, Buffer.from(text));
  }
}

/** Puts the same on the clipboard. */
export async function copyJson(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const target = await anySession(context, args, l10n.t('Copy as JSON'));
  const text = target && details(context, target.accountId, target.sessionId);
  if (text === undefined) return;
  await context.copyText(text);
  context.prompts.note(l10n.t('Details copied.'));
}

/** Puts the address of a page on the clipboard, all of it: it is the person's own page. */
export async function copyPageUrl(context: CommandContext, args: readonly unknown[]): Promise<string | undefined> {
  const { store } = context;
  const pages = (accountId: AccountId, sessionId: SessionId) => knownPages(store, accountId, sessionId) ?? [];
  const named = targetsOf(context, args).find(({ pageId }) => pageId !== undefined);
  let url: string | undefined;
  if (named?.sessionId !== undefined) {
    url = pages(named.accountId, named.sessionId).find(({ id }) => id === (named.pageId as PageId))?.url;
    if (url === undefined) void context.prompts.tell('info', l10n.t('That page is not there any longer.'), []);
  } else {
    const choices = (await sessionChoices(context)).flatMap((choice) =>
      pages(choice.value.accountId, choice.value.session.id).map((page) => ({
        ...choice,
        label: pageName(page),
        description: choice.label,
        detail: plainText(withoutValues(page.url), 200),
        value: page.url,
      })),
    );
    const none = l10n.t('No page is known of any running session. Open a session in the list to have its pages.');
    url = await pickOne(context, l10n.t('Copy Page URL'), l10n.t('Choose a page'), none, choices);
  }
  if (url === undefined) return undefined;
  await context.copyText(url);
  context.prompts.note(l10n.t('Page URL copied.'));
  return url;
}

function anySession(context: CommandContext, args: readonly unknown[], title: string) {
  return sessionTarget(context, args, title, l10n.t('No session is running.'), () => true);
}

function capableTarget(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
  none: string,
  capability: Capability,
) {
  return sessionTarget(context, args, title, none, ({ accountId }) =>
    context.store.capabilities(accountId).has(capability),
  );
}

/** What a session's documents are called. VS Code writes the names of its editors to disk, so they follow the history. */
function nameOf({ store, setting }: CommandContext, accountId: AccountId, sessionId: SessionId): string {
  const session = store.session(accountId, sessionId);
  return session === undefined || !setting('history.enabled') ? shortId(sessionId) : sessionName(session);
}

function details(context: CommandContext, accountId: AccountId, sessionId: SessionId): string | undefined {
  const account = context.accounts.get(accountId);
  const [target] = sessionsOf(context, [{ ...wholeAccount(accountId), sessionId }]);
  if (account === undefined || target === undefined) return undefined;
  return detailsText(account, target.session, context.store);
}

/** Does something at a vendor, and says what came in its way. @param gone what to say where the vendor finds nothing. */
async function telling(
  { accounts, prompts }: CommandContext,
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
