import * as v from 'valibot';
import type { PageId, SessionId } from '../../core/ids.ts';
import { type LiveView, liveViewUrl } from '../../core/liveView.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isAtAccount, isWithin } from '../../core/requestUrl.ts';
import { decodeAll, decodeList, idField } from '../../http/decode.ts';
import { namedBy } from '../../http/paging.ts';
import { type AnchorApi, type Configuration, defaultAddress, detailTroubles } from './api.ts';

const PageList = v.array(v.unknown());
const PageRow = v.object({ id: idField, title: v.string(), url: v.string(), frontend_url: v.string() });

/** What a live view needs from an account. */
export interface LiveViewSource {
  readonly api: AnchorApi;
  readonly link: Link;
  /** Whether a session is headless; undefined if no list has said. */
  readonly isHeadless: (id: SessionId) => boolean | undefined;
  /** See `AnchorBatches.liveViewLink`. */
  readonly batchLink: (id: SessionId, signal: AbortSignal) => Promise<string | undefined>;
}

/** The pages of a session, each with the address of its own viewer. @throws ProviderError */
export async function pagesOf({ send }: AnchorApi, id: SessionId, signal: AbortSignal) {
  const answer = await send(
    { method: 'GET', route: '/v1/sessions/{session_id}/pages', params: { session_id: id } },
    signal,
  );
  return decodeAll(PageRow, await decodeList(PageList, [], answer), namedBy('id'));
}

/** A live view of a session, or of one of its pages. @throws ProviderError */
export async function liveView(
  source: LiveViewSource,
  id: SessionId,
  page: PageId | undefined,
  signal: AbortSignal,
): Promise<LiveView> {
  const { address, singleUse } = await liveViewAddress(source, id, page, signal);
  return {
    url: liveViewUrl(address, (url) => allowsLiveView(source.link, url)),
    // https://docs.anchorbrowser.io/advanced/browser-live-view
    sandbox: 'allow-same-origin allow-scripts',
    allow: 'clipboard-read; clipboard-write',
    fixedMode: false,
    singleUse,
    disconnectMessage: undefined,
  };
}

/** Where this account's live views may come from: the provider's own hosts, or the host that the user entered. */
function allowsLiveView(link: Link, url: URL): boolean {
  return link.origin.origin === defaultAddress ? isWithin(url, 'anchorbrowser.io') : isAtAccount(url, link.origin);
}

/**
 * A session with a window gets its own link, which follows the active tab; a headless session's link shows only the
 * first page (https://docs.anchorbrowser.io/advanced/browser-live-view). The link is the one from its batch, or else
 * the one that Anchor documents. The viewer of a page is used instead if a page was requested, if the session is or may
 * be headless, or if the link works or may work only once.
 */
async function liveViewAddress(
  source: LiveViewSource,
  id: SessionId,
  page: PageId | undefined,
  signal: AbortSignal,
): Promise<{ readonly address: string; readonly singleUse: LiveView['singleUse'] }> {
  const pages = await pagesOf(source.api, id, signal);
  const shown = page === undefined ? pages[0] : pages.find((one) => one.id === page);
  if (page !== undefined && shown === undefined) {
    throw new ProviderError({ kind: 'notFound' }, 'the page is not among the session’s pages');
  }
  const viewer = shown === undefined ? undefined : ({ address: shown.frontend_url, singleUse: 'no' } as const);
  if (viewer !== undefined && (page !== undefined || source.isHeadless(id) === true)) return viewer;
  const link = await linkOf(source, id, signal);
  if (link === undefined) {
    if (viewer !== undefined) return viewer;
    throw new ProviderError({ kind: 'unsupported', reason: { kind: 'sessionLiveView' } }, 'no page to show');
  }
  const terms = await termsOf(source.api, id, signal);
  const isHeadless = source.isHeadless(id) ?? terms.isHeadless;
  return viewer !== undefined && (isHeadless !== false || terms.singleUse !== 'no')
    ? viewer
    : { address: link, singleUse: terms.singleUse };
}

/** A session's own link, as far as it can be known after the session has started. */
async function linkOf(
  { link, batchLink }: LiveViewSource,
  id: SessionId,
  signal: AbortSignal,
): Promise<string | undefined> {
  const handedOut = await batchLink(id, signal);
  if (handedOut !== undefined || link.origin.origin !== defaultAddress) return handedOut;
  return `https://live.anchorbrowser.io/?sessionId=${encodeURIComponent(id)}`;
}

/** How a session was started, as far as its link depends on it. */
async function termsOf({ find }: AnchorApi, id: SessionId, signal: AbortSignal): Promise<LinkTerms> {
  try {
    return termsIn((await find(id, signal))?.configuration);
  } catch (error) {
    if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
    return { singleUse: 'unknown', isHeadless: undefined };
  }
}

interface LinkTerms {
  readonly singleUse: LiveView['singleUse'];
  /** Undefined if unknown. */
  readonly isHeadless: boolean | undefined;
}

/** Sessions have a window and reusable links, unless they were started with other options. */
function termsIn(configuration: Configuration | undefined): LinkTerms {
  if (configuration === undefined) return { singleUse: 'unknown', isHeadless: undefined };
  const { session = configuration, browser } = configuration;
  return {
    singleUse: session.live_view?.one_time_url === true ? 'yes' : 'no',
    isHeadless: browser?.headless?.active ?? false,
  };
}
