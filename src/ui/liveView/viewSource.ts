import * as vscode from 'vscode';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { CheckFraming, Framing } from '../../core/framing.ts';
import type { AccountId, PageId, SessionId } from '../../core/ids.ts';
import type { LiveView, ViewMode } from '../../core/liveView.ts';
import { isLoopback } from '../../core/origin.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError, type UnsupportedReason } from '../../core/providerError.ts';
import { requestUrl } from '../../core/requestUrl.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { RedactedProvider } from '../../services/providers/redactedProvider.ts';

const openTimeoutMs = 20_000;
const closeTimeoutMs = 15_000;

/** What to show: a session, or one of its pages. */
export interface LiveViewTarget {
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  /** Undefined for whichever page the session shows. */
  readonly pageId: PageId | undefined;
}

/** A way to show a session in a panel, or why the provider's page isn't framed. */
export type ViewSource =
  | {
      readonly kind: 'frame';
      readonly view: LiveView;
      /** The address at which the workbench reaches it. */
      readonly url: URL;
      /** Whether the page may still turn out to refuse framing. */
      readonly uncertain: boolean;
    }
  /** The caller disposes its connection. */
  | { readonly kind: 'devtools'; readonly devtools: SessionDevtools }
  | { readonly kind: 'singleUse'; readonly view: LiveView }
  | {
      readonly kind: 'refused';
      readonly framing: Exclude<Framing, { readonly kind: 'allowed' | 'uncertain' }>;
      /** The host of the page. */
      readonly host: string;
    }
  /** The page couldn't be asked whether it may be framed. The workbench may still reach it. */
  | { readonly kind: 'notAsked'; readonly error: ProviderError; readonly host: string };

/** What the user has agreed to. */
export interface Consent {
  /** Opening this link, which works only once. */
  readonly once: LiveView | undefined;
  /** Framing a page that couldn't be asked. */
  readonly anyway: boolean;
}

/** Nothing was agreed to yet. */
export const noConsent: Consent = { once: undefined, anyway: false };

/** What finding a way needs. */
export interface ViewSourceParts {
  readonly connections: Connections;
  readonly checkFraming: CheckFraming;
  /** Whether the extension runs on the same machine as the workbench, so that both mean the same by `localhost`. */
  readonly besideWorkbench: boolean;
}

/**
 * Finds a way to show a session in a panel: the provider's own page if it may be framed, else DevTools.
 * @throws ProviderError `unsupported` if there is no way, `timedOut` after 20 seconds, and whatever the provider's
 * calls throw.
 */
export async function findViewSource(
  parts: ViewSourceParts,
  target: LiveViewTarget,
  mode: ViewMode,
  consent: Consent,
  signal: AbortSignal,
): Promise<ViewSource> {
  const limit = AbortSignal.timeout(openTimeoutMs);
  try {
    return await findInTime(parts, target, mode, consent, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (!limit.aborted) throw error;
    throw new ProviderError({ kind: 'timedOut', afterMs: openTimeoutMs }, 'a live view took too long to be found');
  }
}

async function findInTime(
  parts: ViewSourceParts,
  { accountId, sessionId, pageId }: LiveViewTarget,
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
    viewSource = await frameOr(byDevtools, parts, provider, view, consent, signal);
    return viewSource;
  } finally {
    if (viewSource?.kind !== 'frame') void closeLink(view);
  }
}

/** The provider's own page, or another way if it can't be framed. */
async function frameOr(
  byDevtools: () => Promise<ViewSource | undefined>,
  parts: ViewSourceParts,
  provider: RedactedProvider,
  view: LiveView,
  consent: Consent,
  signal: AbortSignal,
): Promise<ViewSource> {
  const { host } = view.url;
  const { framing, error } = await askFraming(parts, provider, view, consent, signal);
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

/** Closes a link that is no longer shown, if its provider can. Never rejects. */
export async function closeLink(view: LiveView): Promise<void> {
  try {
    await view.close?.(AbortSignal.timeout(closeTimeoutMs));
  } catch {
    // The request is in the log. Providers also close such links by themselves after a while.
  }
}

/** Why an address that may be framed can't be framed by an editor that reaches it as `url`; undefined if it can. */
function obstacleTo(asked: URL, url: URL): UnsupportedReason | undefined {
  // Some editors serve addresses of a remote machine below their own. The framed page would get their origin, and with
  // it access to what they store there.
  if (url.pathname !== asked.pathname) return { kind: 'viewAddress' };
  // A content security policy can't name such a host, so the frame would stay blank.
  if (url.hostname.startsWith('[')) return { kind: 'viewAddress' };
  return undefined;
}

/**
 * The provider's page to open in a browser, or undefined if there is none.
 * @throws ProviderError whatever the provider's calls throw.
 */
export async function findPage(
  parts: ViewSourceParts,
  { accountId, sessionId, pageId }: LiveViewTarget,
  signal: AbortSignal,
): Promise<LiveView | undefined> {
  return ownPage(await parts.connections.open(accountId), sessionId, pageId, 'watch', signal);
}

/** Requested each time, because a link may work only once; never stored. Undefined if there is none. */
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
  { hide }: RedactedProvider,
  view: LiveView,
  consent: Consent,
  signal: AbortSignal,
): Promise<{ readonly framing: Framing; readonly error?: ProviderError }> {
  const framing: Framing = { kind: 'uncertain' };
  // Asking would use up a link that works only once.
  if (view.singleUse !== 'no' || consent.anyway) return { framing };
  try {
    const ancestors = vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop';
    const found = await checkFraming(view.url, ancestors, signal);
    return { framing: found.kind === 'elsewhere' ? { ...found, host: hide(found.host) } : found };
  } catch (error) {
    if (ProviderError.isOf(error, 'canceled')) throw error;
    return { framing, error: ProviderError.from(error) };
  }
}

/**
 * The address at which the workbench reaches a URL. If it runs on another machine, this machine's addresses have to be
 * forwarded.
 */
export async function reachable(url: URL, besideWorkbench: boolean): Promise<URL> {
  if (besideWorkbench || !isLoopback(url.hostname)) return url;
  // Only the origin: VS Code would decode the escaped characters of the rest.
  const outside = new URL((await vscode.env.asExternalUri(vscode.Uri.parse(url.origin, true))).toString(true));
  const reached = requestUrl(outside, url.pathname);
  reached.search = url.search;
  reached.hash = url.hash;
  return reached;
}
