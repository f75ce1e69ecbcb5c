import * as v from 'valibot';
import type { PageId, SessionId } from '../../core/ids.ts';
import { type LiveView, liveViewUrl } from '../../core/liveView.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isAtAccount, isWithin } from '../../core/requestUrl.ts';
import { decodeAll, decodeList, idField } from '../../http/decode.ts';
import { namedBy } from '../../http/paging.ts';
import { type BrowserbaseApi, defaultAddress } from './api.ts';

/** Seconds for which a live view address can be opened. */
const liveViewLifetime = 600;

const LivePage = v.object({ id: idField, title: v.string(), url: v.string(), debuggerFullscreenUrl: v.string() });
const LiveUrls = v.object({ debuggerFullscreenUrl: v.string(), pages: v.array(v.unknown()) });

/** The addresses of viewers for a session and each of its pages. @throws ProviderError */
export async function liveUrls({ send }: BrowserbaseApi, id: SessionId, signal: AbortSignal) {
  const query = { expiresIn: liveViewLifetime };
  const answer = await send({ method: 'GET', route: '/v1/sessions/{id}/debug', params: { id }, query }, signal);
  const { whole, ...list } = await decodeList(LiveUrls, ['pages'], answer);
  return { ...whole, pages: await decodeAll(LivePage, list, namedBy('id')) };
}

/** A live view of a session, or of one of its pages. @throws ProviderError */
export async function liveView(
  api: BrowserbaseApi,
  link: Link,
  id: SessionId,
  page: PageId | undefined,
  signal: AbortSignal,
): Promise<LiveView> {
  const { debuggerFullscreenUrl, pages } = await liveUrls(api, id, signal);
  const shown =
    page === undefined ? debuggerFullscreenUrl : pages.find((one) => one.id === page)?.debuggerFullscreenUrl;
  if (shown === undefined) throw new ProviderError({ kind: 'notFound' }, 'the page is not among the session’s pages');
  // https://docs.browserbase.com/platform/browser/observability/session-live-view
  return {
    url: liveViewUrl(shown, (url) => allowsLiveView(link, url)),
    sandbox: 'allow-same-origin allow-scripts',
    allow: 'clipboard-read; clipboard-write',
    fixedMode: false,
    singleUse: 'no',
    disconnectMessage: 'browserbase-disconnected',
    expiresInMs: liveViewLifetime * 1_000,
  };
}

/** Where this account's live views may come from: the provider's own hosts, or the host that the user entered. */
function allowsLiveView(link: Link, url: URL): boolean {
  return link.origin.origin === defaultAddress ? isWithin(url, 'browserbase.com') : isAtAccount(url, link.origin);
}
