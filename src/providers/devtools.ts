import * as v from 'valibot';
import { sendCommand } from '../cdp/protocol.ts';
import type { CdpConnection } from '../core/cdp.ts';
import type { HttpRequest } from '../core/http.ts';
import { pageId } from '../core/ids.ts';
import type { ListFault } from '../core/inventory.ts';
import { titleWithoutValues } from '../core/maskedAddress.ts';
import { boundedPage, type Page } from '../core/page.ts';
import type { Link } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { requestUrl } from '../core/requestUrl.ts';
import { decode, decodeValue, idField, leftOut, mostRows, rowAt } from '../http/decode.ts';
import { neverNotFound } from '../http/notFound.ts';

// A browser's own DevTools (https://chromedevtools.github.io/devtools-protocol/tot/Target/). Observed in Chromium 156, but
// not documented: `/json/*` rejects host names other than `localhost` and IP addresses; targets of type `page` are tabs,
// while `browser_ui` and others are the browser's own.

const Version = v.object({ Browser: v.string(), webSocketDebuggerUrl: v.string() });
const Processes = v.object({ processInfo: v.array(v.object({ type: v.string(), id: v.number() })) });
const IsTab = v.object({ type: v.literal('page') });
const Target = v.object({
  targetId: idField,
  type: v.string(),
  title: v.string(),
  url: v.string(),
  browserContextId: v.optional(v.string()),
});

/** The way to the DevTools of a browser. */
export type DevtoolsLink = Pick<Link, 'origin' | 'http' | 'cdp'>;

/** Asks which browser answers at an address. @param request what is different about the request. */
export async function versionAt({ http }: DevtoolsLink, signal: AbortSignal, request: Partial<HttpRequest> = {}) {
  return decode(Version, await http.send({ method: 'GET', route: '/json/version', ...request }, signal));
}

/** A connection to a browser's DevTools. */
export interface DialedBrowser {
  readonly cdp: CdpConnection;
  /** Its name and version: `HeadlessChrome/156.0.0.0`. */
  readonly browser: string;
  /** The random ID that it got when it started; undefined for a browser without one, such as Chrome on Android. */
  readonly id: string | undefined;
}

/** Connects to a browser's DevTools. */
export async function dialBrowser(
  link: DevtoolsLink,
  signal: AbortSignal,
  request: Partial<HttpRequest> = {},
): Promise<DialedBrowser> {
  // The address belongs to the browser: a 404 here says nothing about a session.
  const asked = { ...request, isOwnNotFound: neverNotFound };
  const { Browser, webSocketDebuggerUrl } = await versionAt(link, signal, asked);
  // Only the path is taken from the answer: the connection goes to the account's own address.
  const path = URL.parse(webSocketDebuggerUrl)?.pathname;
  if (path === undefined) {
    throw new ProviderError(
      { kind: 'unexpectedAnswer', what: "it doesn't give a DevTools address" },
      'GET /json/version has no usable webSocketDebuggerUrl',
    );
  }
  const address = requestUrl(new URL(link.origin.origin), path);
  address.protocol = link.origin.protocol === 'https:' ? 'wss:' : 'ws:';
  // Behind a proxy, a path may come before it.
  const [, id] = /\/devtools\/browser\/([^/]+)$/.exec(path) ?? [];
  return { cdp: await link.cdp.dial(address, {}, signal), browser: Browser, id };
}

/** The process ID of the browser at the other end of a connection. */
export async function pidOf(cdp: CdpConnection, signal: AbortSignal): Promise<number | undefined> {
  const { processInfo } = decodeValue(Processes, await cdp.send('SystemInfo.getProcessInfo', {}, signal));
  return processInfo.find(({ type }) => type === 'browser')?.id;
}

/** A tab, and the browser context that it is in. */
export interface Tab {
  readonly page: Page;
  readonly browserContextId: string | undefined;
}

/**
 * Lists a browser's tabs. `Target.getTargets` has all of them in one message, which is too large to read if some have
 * addresses of megabytes, as any page can. Discovery reports each in a message of its own, and all of them before it is
 * answered (`TargetHandler::SetDiscoverTargets` in Chromium). It is off afterwards: it reports nothing when it's on already.
 * @throws ProviderError as `CdpConnection.send` does.
 */
export async function listTabs(
  cdp: CdpConnection,
  signal: AbortSignal,
): Promise<{ readonly tabs: readonly Tab[]; readonly faults: readonly ListFault[] }> {
  const tabs: Tab[] = [];
  const faults: ListFault[] = [];
  let reported = 0;
  const subscription = cdp.onEvent(({ method, params: { targetInfo }, target }) => {
    // A tab has several targets besides itself, such as its frames and workers.
    if (method !== 'Target.targetCreated' || target !== undefined || !v.is(IsTab, targetInfo)) return;
    const index = reported++;
    if (index >= mostRows) return;
    const read = v.safeParse(Target, targetInfo, { abortEarly: true });
    if (read.success) tabs.push(tabOf(read.output));
    else faults.push({ subject: rowAt(index), unnamed: true, what: "it isn't as documented" });
  });
  try {
    await Promise.all([
      sendCommand(cdp, 'Target.setDiscoverTargets', { discover: true }, signal),
      sendCommand(cdp, 'Target.setDiscoverTargets', { discover: false }, signal),
    ]);
  } finally {
    subscription.dispose();
  }
  return { tabs, faults: reported > mostRows ? [...faults, leftOut(reported - mostRows, mostRows)] : faults };
}

function tabOf({ targetId, title, url, browserContextId }: v.InferOutput<typeof Target>): Tab {
  return { page: boundedPage({ id: pageId(targetId), title: titleWithoutValues(title, url), url }), browserContextId };
}
