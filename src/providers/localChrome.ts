import * as v from 'valibot';
import type { CdpConnection } from '../core/cdp.ts';
import { pageId, type SessionId, sessionId } from '../core/ids.ts';
import type { Inventory, ListFault } from '../core/inventory.ts';
import type { Page } from '../core/page.ts';
import type { EndOutcome, Link, Provider, ProviderKind } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { type Session, stillRuns } from '../core/session.ts';
import { decode, decodeEach, decodeValue, idField } from '../http/decode.ts';

// Any browser that speaks the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/tot/Target/).
// A session is a browser context: an isolated profile, as Playwright and Puppeteer make one for each job. What was read
// off Chromium 156 and is not documented: `/json/*` refuses host names other than `localhost` and addresses; targets of
// type `page` are tabs, while `browser_ui` and others are the browser's own; closing the last tab of a browser with
// windows ends that browser.

const Version = v.object({ Browser: v.string(), webSocketDebuggerUrl: v.string() });
const ContextIds = v.object({
  browserContextIds: v.array(idField),
  defaultBrowserContextId: v.optional(idField),
});
const Targets = v.object({ targetInfos: v.array(v.unknown()) });
const Target = v.object({
  targetId: idField,
  type: v.string(),
  title: v.string(),
  url: v.string(),
  browserContextId: v.optional(v.string()),
});

/** Names the default context in browsers before Chrome 143, which do not tell its id. */
const unnamedDefaultContext = 'default-context';
/** What a tab shows that nobody has used; it keeps the browser open and is no work to be lost. */
const emptyTab = /^(about:blank|(chrome|edge):\/\/(newtab|new-tab-page|new-tab-page-third-party)\/?)$/;

/** Chrome, Edge or Chromium started with `--remote-debugging-port`. */
export const localChrome: ProviderKind = {
  id: 'localChrome',
  label: 'Local Chrome',
  icon: 'device-desktop',
  docsUrl: 'https://chromedevtools.github.io/devtools-protocol/',
  address: {
    preset: 'http://127.0.0.1:9222',
    ask: true,
    prompt: 'Address of a Chrome, Edge or Chromium that was started with --remote-debugging-port',
    placeholder: 'http://127.0.0.1:9222',
  },
  fields: [],
  wording: {
    ending: 'Pages close, with what was typed or loaded in them, and with their cookies and storage.',
    endEverything: undefined,
    deleteGroup: undefined,
    watching: undefined,
  },
  connect,
};

function connect(link: Link): Provider {
  async function version(signal: AbortSignal) {
    return decode(Version, await link.http.send({ method: 'GET', route: '/json/version' }, signal));
  }

  async function withConnection<T>(signal: AbortSignal, use: (cdp: CdpConnection) => Promise<T>): Promise<T> {
    const { webSocketDebuggerUrl } = await version(signal);
    // Only the path is taken from the answer: the connection goes to the account's own address.
    const path = URL.parse(webSocketDebuggerUrl)?.pathname;
    if (path === undefined) {
      throw new ProviderError(
        { kind: 'unexpectedAnswer', what: 'it names no DevTools address' },
        'GET /json/version has no usable webSocketDebuggerUrl',
      );
    }
    const address = new URL(path, link.origin);
    address.protocol = link.origin.protocol === 'https:' ? 'wss:' : 'ws:';
    const cdp = await link.cdp.dial(address, signal);
    try {
      return await use(cdp);
    } finally {
      cdp.dispose();
    }
  }

  return {
    async check(signal) {
      const { Browser } = await version(signal);
      await withConnection(signal, (cdp) => contextsOf(cdp, signal));
      return { identity: Browser, sessionLimit: undefined };
    },

    async *list(signal) {
      yield await withConnection(signal, (cdp) => inventoryOf(cdp, signal));
    },

    end: (session, signal) =>
      withConnection(signal, async (cdp) => {
        if (session.ends === 'pages') return endPages(cdp, session, signal);
        try {
          await cdp.send('Target.disposeBrowserContext', { browserContextId: session.id }, signal);
          return 'ended';
        } catch (error) {
          if (ProviderError.isOf(error, 'notFound')) return 'alreadyGone';
          throw error;
        }
      }),

    probe: (session, signal) =>
      withConnection(signal, async (cdp) => {
        const { sessions } = await inventoryOf(cdp, signal);
        const listed = sessions.find(({ id }) => id === session.id);
        return stillRuns(session, listed) ? 'running' : 'gone';
      }),
  };
}

/** What the browser holds: the tabs of each isolated context, and those of the context that was there from the start. */
interface Contexts {
  readonly isolated: ReadonlyMap<SessionId, readonly Page[]>;
  readonly defaultId: SessionId;
  readonly defaultPages: readonly Page[];
  readonly faults: readonly ListFault[];
}

async function contextsOf(cdp: CdpConnection, signal: AbortSignal): Promise<Contexts> {
  const ids = decodeValue(ContextIds, await cdp.send('Target.getBrowserContexts', {}, signal));
  const { targetInfos } = decodeValue(Targets, await cdp.send('Target.getTargets', {}, signal));
  const { rows, faults } = decodeEach(Target, targetInfos, (_, index) => `target ${index + 1}`);
  const defaultId = ids.defaultBrowserContextId ?? unnamedDefaultContext;
  const isolated = new Map<string, Page[]>();
  for (const id of ids.browserContextIds) if (id !== defaultId) isolated.set(id, []);
  const defaultPages: Page[] = [];
  for (const { targetId, type, title, url, browserContextId } of rows) {
    if (type !== 'page') continue;
    const pages = isolated.get(browserContextId ?? defaultId) ?? defaultPages;
    pages.push({ id: pageId(targetId), title, url });
  }
  return {
    isolated: new Map([...isolated].map(([id, pages]) => [sessionId(id), pages])),
    defaultId: sessionId(defaultId),
    defaultPages,
    faults,
  };
}

async function inventoryOf(cdp: CdpConnection, signal: AbortSignal): Promise<Inventory> {
  const { isolated, defaultId, defaultPages, faults } = await contextsOf(cdp, signal);
  const sessions = [...isolated].map(([id, pages]) => isolatedContext(id, pages));
  const used = defaultPages.filter(({ url }) => !emptyTab.test(url));
  if (used.length > 0) sessions.push(defaultContext(defaultId, used));
  return { sessions, groups: [], faults };
}

function isolatedContext(id: SessionId, pages: readonly Page[]): Session {
  return {
    id,
    name: pages.find(({ title }) => title !== '')?.title,
    phase: 'running',
    status: undefined,
    startedAt: undefined,
    region: undefined,
    groupId: undefined,
    tags: [],
    traits: [],
    pages,
    ends: 'session',
    heldBack: undefined,
    facts: [],
  };
}

/** May be a person's own window: shown, but only ever ended by itself. Empty tabs in it are not counted. */
function defaultContext(id: SessionId, pages: readonly Page[]): Session {
  return {
    ...isolatedContext(id, pages),
    name: 'Default context',
    traits: ['the browser’s own window'],
    ends: 'pages',
    heldBack: 'It is the browser’s own window, which may be yours.',
  };
}

/**
 * Closes the pages that the person confirmed, and no page opened since; the browser itself always keeps a tab. Chrome
 * answers before a page is gone.
 */
async function endPages(cdp: CdpConnection, session: Session, signal: AbortSignal): Promise<EndOutcome> {
  const { defaultPages } = await contextsOf(cdp, signal);
  const confirmed = new Set(session.pages?.map(({ id }) => id));
  const closing = defaultPages.filter(({ id }) => confirmed.has(id));
  if (closing.length === 0) return 'alreadyGone';
  if (closing.length === defaultPages.length) await cdp.send('Target.createTarget', { url: 'about:blank' }, signal);
  for (const { id } of closing) {
    try {
      await cdp.send('Target.closeTarget', { targetId: id }, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
    }
  }
  return 'accepted';
}
