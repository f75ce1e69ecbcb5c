import * as v from 'valibot';
import type { CdpConnection } from '../core/cdp.ts';
import type { HttpRequest } from '../core/http.ts';
import { pageId } from '../core/ids.ts';
import { titleWithoutValues } from '../core/maskedAddress.ts';
import { requestUrl } from '../core/origin.ts';
import type { Page } from '../core/page.ts';
import type { Link } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { Turns } from '../core/turns.ts';
import { decode, decodeEach, decodeValue, idField, leftOut, mostRows, type Rows, rowAt } from '../http/decode.ts';
import { neverNotFound } from '../http/notFound.ts';

// A browser's own DevTools (https://chromedevtools.github.io/devtools-protocol/tot/Target/). Observed in Chromium 156, but
// not documented: `/json/*` rejects host names other than `localhost` and IP addresses; targets of type `page` are tabs,
// while `browser_ui` and others are the browser's own.

const Version = v.object({ Browser: v.string(), webSocketDebuggerUrl: v.string() });
const Targets = v.object({ targetInfos: v.array(v.unknown()) });
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

/** Connects to a browser's DevTools. */
export async function dialBrowser(
  link: DevtoolsLink,
  signal: AbortSignal,
  request: Partial<HttpRequest> = {},
): Promise<{ readonly cdp: CdpConnection; readonly browser: string }> {
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
  return { cdp: await link.cdp.dial(address, {}, signal), browser: Browser };
}

/** A tab, and the browser context that it is in. */
export interface Tab {
  readonly page: Page;
  readonly browserContextId: string | undefined;
}

/** The tabs in an answer to `Target.getTargets`. Each has several targets besides itself, such as its frames and workers. */
export async function tabsIn(answer: unknown) {
  const { targetInfos } = decodeValue(Targets, answer);
  const tabs = targetInfos.filter((info) => v.is(IsTab, info));
  const { rows, faults } = await decodeEach(Target, firstRows(tabs), byPlace);
  const found: Tab[] = [];
  const turns = new Turns();
  for (const { targetId, title, url, browserContextId } of rows) {
    if (turns.isOver) await turns.pass();
    found.push({ page: { id: pageId(targetId), title: titleWithoutValues(title, url), url }, browserContextId });
  }
  return { tabs: found, faults };
}

/** The rows that are read, and a fault for the rest. */
export function firstRows(all: readonly unknown[]): Rows {
  const beyond = all.length - mostRows;
  return beyond <= 0
    ? { rows: all, faults: [] }
    : { rows: all.slice(0, mostRows), faults: [leftOut(beyond, mostRows)] };
}

/** What a row without a name of its own is called. */
export const byPlace = (_: unknown, index: number): string => rowAt(index);
