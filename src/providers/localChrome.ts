import * as v from 'valibot';
import type { AccountFacts } from '../core/account.ts';
import type { CdpConnection, SessionDevtools } from '../core/cdp.ts';
import { idFault, type PageId, type SessionId, sessionId } from '../core/ids.ts';
import type { Inventory, ListFault } from '../core/inventory.ts';
import { newSession } from '../core/newSession.ts';
import { isEmptyTab, type Page, stillOpen } from '../core/page.ts';
import type { EndAnswer, Link, Provider, ProviderKind } from '../core/provider.ts';
import { ProviderError, unaddressable } from '../core/providerError.ts';
import type { Session } from '../core/session.ts';
import { translatable } from '../core/translatable.ts';
import { Turns } from '../core/turns.ts';
import { decodeEach, decodeValue, idField, leftOut, mostRows, type Rows, rowAt } from '../http/decode.ts';
import { type Answering, AnsweringBrowser } from './answeringBrowser.ts';
import { type DialedBrowser, dialBrowser, listTabs, versionAt } from './devtools.ts';

// Any browser that speaks the Chrome DevTools Protocol; see devtools.ts. A session is a browser context: an isolated
// profile, such as Playwright and Puppeteer make for each job. Observed in Chromium 156, but not documented: closing the
// last tab of a browser with windows ends that browser.
//
// What confirms an end: the browser itself, once its list of targets no longer has the context or the confirmed pages.
// It answers a disposal or a close before that. The ids of contexts and targets are 32 random hexadecimal digits, which no
// other session gets. But a tab that is discarded to save memory gets another id; see `withReplaced`. A browser that doesn't
// answer confirms nothing, and neither does another one that answers in its place; see answeringBrowser.ts.

const ContextIds = v.object({
  browserContextIds: v.array(v.unknown()),
  defaultBrowserContextId: v.optional(idField),
});

const Created = v.object({ targetId: idField });

/** Why a session isn't shown. */
const anotherAnswers = 'another browser answers there now, so it may still be running';

/** Chrome, Edge or Chromium started with `--remote-debugging-port`. */
export const localChrome: ProviderKind = {
  id: 'localChrome',
  label: 'Local Chrome',
  icon: 'device-desktop',
  summary: 'Chrome, Edge, or Chromium on this machine',
  address: {
    preset: 'http://127.0.0.1:9222',
    ask: true,
    prompt: 'Enter the address of Chrome, Edge, or Chromium started with --remote-debugging-port',
    placeholder: 'http://127.0.0.1:9222',
  },
  fields: [],
  settings: [],
  furtherAddresses: () => [],
  can: ['devtools'],
  wording: {
    session:
      "An isolated browser context. The browser's own window is skipped when you end several at once. Ending it alone closes its pages and leaves the browser open.",
    ending: 'Its pages close. Anything typed or loaded in them is lost, along with their cookies and storage.',
    endEverything: undefined,
    deleteGroup: undefined,
    watching: undefined,
  },
  connect,
};

function connect(link: Link): Provider {
  const browsers = new AnsweringBrowser(link);

  async function open(signal: AbortSignal): Promise<Opened> {
    const dialed = await dialBrowser(link, signal);
    try {
      const inside = dialed.id === undefined ? await idsIn(dialed.cdp, signal) : new Set<string>();
      return { ...dialed, answering: await browsers.identify(dialed, inside, signal) };
    } catch (error) {
      dialed.cdp.dispose();
      throw error;
    }
  }

  async function withConnection<T>(signal: AbortSignal, use: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = await open(signal);
    try {
      return await use(opened);
    } finally {
      opened.cdp.dispose();
    }
  }

  const seen: PagesSeen = {
    order: new Map(),
    used: new Set(),
    open: new Map(),
    replaced: new Map(),
    closed: new Set(),
  };

  async function readContexts({ cdp, answering }: Opened, signal: AbortSignal): Promise<Contexts> {
    const contexts = await contextsOf(cdp, answering.unnamedContext, signal);
    return { ...contexts, defaultPages: withReplaced(contexts.defaultPages, seen) };
  }

  return {
    // The browser itself answers: what it doesn't list is gone.
    ending: { lists: 'complete', mostInFlight: 8, withinMs: 30_000 },

    async check(signal) {
      const { Browser } = await versionAt(link, signal);
      await withConnection(signal, ({ cdp, answering }) => contextsOf(cdp, answering.unnamedContext, signal));
      return factsOf(Browser);
    },

    async *list(signal) {
      yield await withConnection(signal, async (opened) => {
        const { id: browserId, browser, answering } = opened;
        const elsewhere = answering.elsewhere();
        const found = inventoryOf(await readContexts(opened, signal), seen);
        const ids = new Set(found.sessions.map(({ id }) => id));
        answering.note(ids);
        const unlisted = [...elsewhere].filter((id) => !ids.has(id));
        const faults = [...found.faults, ...unlisted.map((subject) => ({ subject, what: anotherAnswers }))];
        const sessions = found.sessions.map((session) => ({ ...session, browserId }));
        return { ...found, sessions, faults, account: factsOf(browser) };
      });
    },

    async end(session, signal) {
      const fault = idFault(session.id);
      if (fault !== undefined) throw unaddressable('Target.disposeBrowserContext', fault);
      return withConnection(signal, async (opened) => {
        const { cdp, answering } = opened;
        if (answering.mayRunElsewhere(session)) throw anotherBrowser();
        if (session.ends === 'pages')
          return endPages(opened, session, (await readContexts(opened, signal)).defaultPages, seen, signal);
        try {
          await cdp.send('Target.disposeBrowserContext', { browserContextId: session.id }, signal);
          return { outcome: 'ended', how: undefined };
        } catch (error) {
          if (ProviderError.isOf(error, 'notFound')) return { outcome: 'alreadyGone', how: undefined };
          throw error;
        }
      });
    },

    probe: (session, signal) =>
      withConnection(signal, async (opened) => {
        if (opened.answering.mayRunElsewhere(session)) throw anotherBrowser();
        const { isolated, defaultId, defaultPages, faults } = await readContexts(opened, signal);
        // It may be a context or tab that couldn't be read, or that was beyond the limit.
        const otherwise = faults.some(({ unnamed }) => unnamed === true) ? 'unknown' : 'gone';
        if (session.ends === 'pages') {
          if (session.pages === undefined) return 'unknown';
          return stillOpen(session.pages, defaultPages).length > 0 ? 'running' : otherwise;
        }
        // As in lists, empty tabs alone aren't a session.
        const isUsed = defaultPages.some((page) => seen.used.has(page.id) || !isEmptyTab(page));
        return isolated.has(session.id) || (session.id === defaultId && isUsed) ? 'running' : otherwise;
      }),

    async devtools(id, signal): Promise<SessionDevtools> {
      const { cdp, answering } = await open(signal);
      try {
        const { isolated, defaultId, ownContexts } = await contextsOf(cdp, answering.unnamedContext, signal);
        if (id !== defaultId && !isolated.has(id)) {
          throw new ProviderError({ kind: 'notFound' }, 'there is no such browser context');
        }
        const own = new Set<string | undefined>(id === defaultId ? [id, ...ownContexts] : [id]);
        return { connection: cdp, owns: (context) => own.has(context) };
      } catch (error) {
        cdp.dispose();
        throw error;
      }
    },
  };
}

/**
 * What the browser contains: the tabs of each isolated context, and all other tabs, which are listed under the default
 * context.
 */
interface Contexts {
  readonly isolated: ReadonlyMap<SessionId, readonly Page[]>;
  readonly defaultId: SessionId;
  readonly defaultPages: readonly Page[];
  /**
   * The contexts that those pages report: the default one, and one for each other profile or private window, which
   * Chrome doesn't list. Undefined for a page that reports none.
   */
  readonly ownContexts: ReadonlySet<string | undefined>;
  readonly faults: readonly ListFault[];
}

/** A connection, and what is known about the browser at its other end. */
interface Opened extends DialedBrowser {
  readonly answering: Answering;
}

function anotherBrowser(): ProviderError {
  const what = 'another browser answers there now';
  return new ProviderError(
    { kind: 'unexpectedAnswer', what },
    'the session may be in the browser that answered before',
  );
}

/** The random IDs of a browser's contexts and pages. */
async function idsIn(cdp: CdpConnection, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const unnamed = 'unnamed';
  const { isolated, defaultId, defaultPages, ownContexts } = await contextsOf(cdp, unnamed, signal);
  const pages = [defaultPages, ...isolated.values()].flat().map(({ id }) => id);
  const all = new Set([...isolated.keys(), defaultId, ...ownContexts, ...pages].filter((id) => id !== undefined));
  all.delete(unnamed);
  return all;
}

/** @param unnamed stands for the default context if the browser doesn't name it. */
async function contextsOf(cdp: CdpConnection, unnamed: string, signal: AbortSignal): Promise<Contexts> {
  // Pages first: a page in a context created in between would otherwise count as the browser's own.
  const [{ tabs, faults }, contexts] = await Promise.all([
    listTabs(cdp, signal),
    cdp.send('Target.getBrowserContexts', {}, signal),
  ]);
  const ids = decodeValue(ContextIds, contexts);
  const named = await decodeEach(idField, firstRows(ids.browserContextIds), (_, index) => rowAt(index));
  const defaultId = ids.defaultBrowserContextId ?? unnamed;
  const isolated = new Map<string, Page[]>();
  for (const id of named.rows) if (id !== defaultId) isolated.set(id, []);
  const defaultPages: Page[] = [];
  const ownContexts = new Set<string | undefined>();
  const turns = new Turns();
  for (const { page, browserContextId } of tabs) {
    if (turns.isOver) await turns.pass();
    const pages = isolated.get(browserContextId ?? defaultId) ?? defaultPages;
    pages.push(page);
    if (pages === defaultPages) ownContexts.add(browserContextId);
  }
  return {
    isolated: new Map([...isolated].map(([id, pages]) => [sessionId(id), pages])),
    defaultId: sessionId(defaultId),
    defaultPages,
    ownContexts,
    faults: [...faults, ...named.faults],
  };
}

/** The rows that are read, and a fault for the rest. */
function firstRows(all: readonly unknown[]): Rows {
  const beyond = all.length - mostRows;
  return beyond <= 0
    ? { rows: all, faults: [] }
    : { rows: all.slice(0, mostRows), faults: [leftOut(beyond, mostRows)] };
}

/** What earlier lists said about pages that are still open. */
interface PagesSeen {
  /** Each page's place, in the order they were first listed: the browser's own order changes each time. */
  readonly order: Map<PageId, number>;
  /**
   * Pages of the default context that have ever shown anything. Such a page is listed until it is closed: it has no
   * address while it loads, and may come back from an empty one.
   */
  readonly used: Set<PageId>;
  /** Which pages of the default context were open last, and their addresses. */
  readonly open: Map<PageId, string>;
  /** The pages of the default context that replaced others; see {@link Page.replaces}. */
  readonly replaced: Map<PageId, readonly PageId[]>;
  /** Pages that were closed on request, so nothing has replaced them. */
  readonly closed: Set<PageId>;
}

/**
 * The pages of the default context, with those noted that they replaced. When Chrome discards a tab to save memory, the tab gets
 * another ID; it's loaded again when it's selected. So a new page with the address of one that has gone may be that page.
 */
function withReplaced(pages: readonly Page[], { open, replaced, closed }: PagesSeen): readonly Page[] {
  const now = new Set(pages.map(({ id }) => id));
  const gone = Map.groupBy([...open].filter(([id]) => !now.has(id) && !closed.has(id)).toReversed(), ([, url]) => url);
  for (const page of pages) {
    if (open.has(page.id) || replaced.has(page.id) || isEmptyTab(page)) continue;
    const [id] = gone.get(page.url)?.pop() ?? [];
    if (id !== undefined) replaced.set(page.id, [id, ...(replaced.get(id) ?? [])]);
  }
  open.clear();
  for (const { id, url } of pages) open.set(id, url);
  for (const id of replaced.keys()) if (!now.has(id)) replaced.delete(id);
  for (const id of closed) if (!now.has(id)) closed.delete(id);
  return pages.map((page) => {
    const replaces = replaced.get(page.id);
    return replaces === undefined ? page : { ...page, replaces };
  });
}

function inventoryOf({ isolated, defaultId, defaultPages, faults }: Contexts, { order, used }: PagesSeen): Inventory {
  const all = [defaultPages, ...isolated.values()].flat().map(({ id }) => id);
  let next = 0;
  for (const place of order.values()) next = Math.max(next, place + 1);
  for (const id of all) if (!order.has(id)) order.set(id, next++);
  const there = new Set(all);
  for (const id of order.keys()) if (!there.has(id)) order.delete(id);
  for (const id of used) if (!there.has(id)) used.delete(id);
  for (const page of defaultPages) if (!isEmptyTab(page)) used.add(page.id);
  const inOrder = (pages: readonly Page[]) =>
    pages.toSorted((a, b) => (order.get(a.id) ?? next) - (order.get(b.id) ?? next));
  const sessions = [...isolated].map(([id, pages]) => isolatedContext(id, inOrder(pages)));
  const shown = inOrder(defaultPages).filter(({ id }) => used.has(id));
  if (shown.length > 0) sessions.push(defaultContext(defaultId, shown));
  return { sessions, groups: [], faults, account: undefined };
}

/** The browser's name and major version: `HeadlessChrome 156`. */
function factsOf(browser: string): AccountFacts {
  const identity = browser.replace(/^(\w+)\/(\d+)\b.*/, '$1 $2');
  return { identity, sessionLimit: undefined, note: undefined };
}

function isolatedContext(id: SessionId, pages: readonly Page[]): Session {
  return newSession(id, { pages });
}

/** It may be the user's own window: shown, but only ended on its own. Empty tabs in it don't count. */
function defaultContext(id: SessionId, pages: readonly Page[]): Session {
  return {
    ...isolatedContext(id, pages),
    name: 'Default context',
    traits: [translatable("the browser's own window")],
    ends: 'pages',
    bulkEndExclusion: translatable("It's the browser's own window, which may be yours."),
  };
}

/**
 * Closes the pages that the user confirmed, and no page opened since. The browser always keeps a tab: an empty one is
 * opened first. Chrome answers before a page is gone. A page that has another ID now may be another one, and stays open.
 */
async function endPages(
  { cdp, answering }: Opened,
  session: Session,
  defaultPages: readonly Page[],
  { closed }: PagesSeen,
  signal: AbortSignal,
): Promise<EndAnswer> {
  const confirmed = session.pages ?? [];
  const ids = new Set(confirmed.map(({ id }) => id));
  const closing = defaultPages.filter(({ id }) => ids.has(id));
  if (stillOpen(confirmed, defaultPages).length === 0) return { outcome: 'alreadyGone', how: undefined };
  // Even if other tabs are listed: they may be closing already, and closing the last tab can end the browser.
  if (closing.length > 0) {
    const created = await cdp.send('Target.createTarget', { url: 'about:blank' }, signal);
    const read = v.safeParse(Created, created);
    if (read.success) answering.noteInside(read.output.targetId);
  }
  for (const { id } of closing) {
    try {
      await cdp.send('Target.closeTarget', { targetId: id }, signal);
      closed.add(id);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
    }
  }
  return { outcome: 'accepted', how: undefined };
}
