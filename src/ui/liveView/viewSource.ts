import * as vscode from 'vscode';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { CheckFraming, Framing } from '../../core/framing.ts';
import type { AccountId, PageId, SessionId } from '../../core/ids.ts';
import type { LiveView, ViewMode } from '../../core/liveView.ts';
import { isLoopback, requestUrl } from '../../core/origin.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError, type UnsupportedReason } from '../../core/providerError.ts';
import type { Connections } from '../../services/accounts/connections.ts';

const openTimeoutMs = 20_000;
const closeTimeoutMs = 15_000;

/** What of a session is to be seen. */
export interface Subject {
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  /** Undefined for whatever page the session shows. */
  readonly pageId: PageId | undefined;
}

/** A way to see a session in a panel, or why the provider's page is not framed. */
export type ViewSource =
  | {
      readonly kind: 'frame';
      readonly view: LiveView;
      /** Where the workbench reaches it. */
      readonly url: URL;
      /** Whether it may turn out that the page does not want to be framed. */
      readonly uncertain: boolean;
    }
  /** Whoever takes it disposes its connection. */
  | { readonly kind: 'devtools'; readonly devtools: SessionDevtools }
  | { readonly kind: 'singleUse'; readonly view: LiveView }
  | {
      readonly kind: 'refused';
      readonly framing: Exclude<Framing, { readonly kind: 'allowed' | 'uncertain' }>;
      /** Whose page it is. */
      readonly host: string;
    }
  /** Nobody could be asked whether it may be framed; the workbench may reach it all the same. */
  | { readonly kind: 'notAsked'; readonly error: ProviderError; readonly host: string };

/** What a user has said yes to. */
export interface Consent {
  /** A link that works once, which this one is then used for. */
  readonly once: LiveView | undefined;
  /** Framing a page that could not be asked. */
  readonly anyway: boolean;
}

/** Nothing was agreed to yet. */
export const noConsent: Consent = { once: undefined, anyway: false };

/** What finding a way needs. */
export interface ViewSourceParts {
  readonly connections: Connections;
  readonly checkFraming: CheckFraming;
  /** Whether the extension runs beside the workbench, so that both mean the same machine by `localhost`. */
  readonly besideWorkbench: boolean;
}

/**
 * Finds a way to see a session in a panel: the provider's own page, where it may be framed, else by DevTools.
 * @throws ProviderError `unsupported` where there is no way, `timedOut` after 20 seconds, and whatever the provider's calls throw.
 */
export async function findViewSource(
  parts: ViewSourceParts,
  subject: Subject,
  mode: ViewMode,
  consent: Consent,
  signal: AbortSignal,
): Promise<ViewSource> {
  const limit = AbortSignal.timeout(openTimeoutMs);
  try {
    return await findInTime(parts, subject, mode, consent, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new ProviderError({ kind: 'timedOut', afterMs: openTimeoutMs }, 'a live view took too long to be found');
  }
}

async function findInTime(
  parts: ViewSourceParts,
  { accountId, sessionId, pageId }: Subject,
  mode: ViewMode,
  consent: Consent,
  signal: AbortSignal,
): Promise<ViewSource> {
  const provider = await parts.connections.open(accountId);
  const byDevtools = async (): Promise<ViewSource | undefined> =>
    provider.devtools && { kind: 'devtools', devtools: await provider.devtools(sessionId, signal) };
  const view = consent.once ?? (await ownPage(provider, sessionId, pageId, mode, signal));
  if (view === undefined) {
    const viewSource = await byDevtools();
    if (viewSource !== undefined) return viewSource;
    throw new ProviderError({ kind: 'unsupported', reason: { kind: 'liveView' } }, 'the provider has no live view');
  }
  if (view.singleUse === 'yes' && consent.once === undefined) return { kind: 'singleUse', view };
  let viewSource: ViewSource | undefined;
  try {
    viewSource = await frameOr(byDevtools, parts, view, consent, signal);
    return viewSource;
  } finally {
    if (viewSource?.kind !== 'frame') void closeLink(view);
  }
}

/** The provider's own page, or another way where it can't be framed. */
async function frameOr(
  byDevtools: () => Promise<ViewSource | undefined>,
  parts: ViewSourceParts,
  view: LiveView,
  consent: Consent,
  signal: AbortSignal,
): Promise<ViewSource> {
  const { host } = view.url;
  const { framing, error } = await askFraming(parts, view, consent, signal);
  if (error !== undefined) return (await byDevtools()) ?? { kind: 'notAsked', error, host };
  if (framing.kind !== 'allowed' && framing.kind !== 'uncertain') {
    return (await byDevtools()) ?? { kind: 'refused', framing, host };
  }
  const url = await reachable(view.url, parts.besideWorkbench);
  const obstacle = obstacleTo(view.url, url);
  if (obstacle === undefined) return { kind: 'frame', view, url, uncertain: framing.kind === 'uncertain' };
  const viewSource = await byDevtools();
  if (viewSource !== undefined) return viewSource;
  throw new ProviderError({ kind: 'unsupported', reason: obstacle }, `cannot be framed: ${obstacle.kind}`);
}

/** Closes a link that nothing shows any longer, where its provider can. Never rejects. */
export async function closeLink(view: LiveView): Promise<void> {
  try {
    await view.close?.(AbortSignal.timeout(closeTimeoutMs));
  } catch {
    // The request is in the log. Providers close such links by themselves, too, a while later.
  }
}

/** What keeps an address that may be framed from being framed by an editor that reaches it as `url`. */
function obstacleTo(asked: URL, url: URL): UnsupportedReason | undefined {
  // Editors that put an address of the remote machine below their own would give what is framed their own origin, and
  // with it what they keep there.
  if (url.pathname !== asked.pathname) return { kind: 'viewAddress' };
  // A content security policy cannot name such a host, so that the frame would stay blank.
  if (url.hostname.startsWith('[')) return { kind: 'viewAddress' };
  return undefined;
}

/**
 * The provider's page for a browser of the user's own, or undefined where there is none.
 * @throws ProviderError whatever the provider's calls throw.
 */
export async function findPage(
  parts: ViewSourceParts,
  { accountId, sessionId, pageId }: Subject,
  signal: AbortSignal,
): Promise<LiveView | undefined> {
  return ownPage(await parts.connections.open(accountId), sessionId, pageId, 'watch', signal);
}

/** Asked for anew each time: an address may be for one use, and is kept nowhere. Undefined where there is none. */
async function ownPage(
  provider: Provider,
  session: SessionId,
  page: PageId | undefined,
  mode: ViewMode,
  signal: AbortSignal,
): Promise<LiveView | undefined> {
  if (provider.liveView === undefined) return undefined;
  try {
    return await provider.liveView(session, page, mode, signal);
  } catch (error) {
    if (provider.devtools !== undefined && ProviderError.isOf(error, 'unsupported')) return undefined;
    throw error;
  }
}

async function askFraming(
  { checkFraming }: ViewSourceParts,
  view: LiveView,
  consent: Consent,
  signal: AbortSignal,
): Promise<{ readonly framing: Framing; readonly error?: ProviderError }> {
  const framing: Framing = { kind: 'uncertain' };
  // Asking would use up an address that works once.
  if (view.singleUse !== 'no' || consent.anyway) return { framing };
  try {
    const ancestors = vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop';
    return { framing: await checkFraming(view.url, ancestors, signal) };
  } catch (error) {
    if (ProviderError.isOf(error, 'cancelled')) throw error;
    return { framing, error: ProviderError.from(error) };
  }
}

/** An address on this machine is another one where the workbench runs elsewhere. */
export async function reachable(url: URL, besideWorkbench: boolean): Promise<URL> {
  if (besideWorkbench || !isLoopback(url.hostname)) return url;
  // The origin alone: VS Code would decode the escaped characters of the rest.
  const outside = new URL((await vscode.env.asExternalUri(vscode.Uri.parse(url.origin, true))).toString(true));
  const reached = requestUrl(outside, url.pathname);
  reached.search = url.search;
  reached.hash = url.hash;
  return reached;
}
