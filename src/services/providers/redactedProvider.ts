import type { AccountFacts } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import type { Page } from '../../core/page.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { KnownSecrets, Redact } from '../../core/redact.ts';
import { same } from '../../core/same.ts';
import type { Session } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import { withinBounds } from '../sessions/listBounds.ts';
import { redactedConnection } from './redactedConnection.ts';
import { redactedError } from './redactedError.ts';

/** A session as its provider listed it, within bounds, and as it is shown. */
interface Known {
  readonly listed: Session;
  readonly shown: Session;
}

/** A provider whose answers don't contain the account's key. */
export interface RedactedProvider extends Provider {
  /** Takes the key out of a text about a session that comes from elsewhere, such as another server's answer. */
  readonly hide: Redact;
}

/**
 * The same provider, with the account's secrets taken out of every text it returns and every error it throws.
 * Everything that is shown, logged, stored or passed to other extensions comes from here, so that no other code has to
 * search for them.
 *
 * Ids aren't changed, because requests are made with them. Since they are shown, stored and logged too, a session,
 * batch or page whose id contains a secret is left out: for a session, the list then reports one that can't be shown.
 *
 * In live view and recording addresses only the host is searched, because it is shown and resolved on the network.
 * Screenshots, and what a page draws, aren't searched.
 */
export function redactedProvider(provider: Provider, secrets: KnownSecrets): RedactedProvider {
  const { hide, redact } = secrets;

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw redactedError(error, redact);
    }
  }

  /** A capability with guarded errors, or undefined if the provider doesn't have it at the moment. */
  function guardedCall<Args extends unknown[], T>(
    call: ((...args: Args) => Promise<T>) | undefined,
    clean: (value: T) => T | Promise<T> = (value) => value,
  ): ((...args: Args) => Promise<T>) | undefined {
    return call && ((...args) => guarded(async () => clean(await call.apply(provider, args))));
  }

  const facts = (found: AccountFacts): AccountFacts => ({
    ...found,
    identity: maybe(found.identity, hide),
    note: maybe(found.note, hide),
  });
  const pages = (all: readonly Page[], turns = new Turns()): Promise<Page[]> => {
    const shown = all.filter(({ id }) => !secrets.isIn(id));
    return turns.map(shown, (page) => ({ ...page, title: hide(page.title), url: hide(page.url) }));
  };

  /**
   * The sessions of the last list, as they came and as they are shown. Most lists say of most sessions what the last one
   * said, and searching a text for secrets takes longer than comparing it.
   */
  let last: ReadonlyMap<SessionId, Known> = new Map();

  /** @param known collects what {@link last} becomes. */
  async function sessionAsBefore(unbounded: Session, known: Map<SessionId, Known>, turns: Turns): Promise<Session> {
    // Searching megabytes of text would take seconds.
    const listed = withinBounds(unbounded);
    const before = last.get(listed.id);
    const isKnown = before !== undefined && same(before.listed, listed);
    const shown = isKnown ? before.shown : await session(listed, turns);
    known.set(listed.id, isKnown ? before : { listed, shown });
    return shown;
  }

  async function session(its: Session, turns: Turns): Promise<Session> {
    const pair = ([one, other]: readonly [string, string]) => [hide(one), hide(other)] as const;
    const { groupId, otherId } = its;
    const shown: Session = {
      ...its,
      name: maybe(its.name, hide),
      host: maybe(its.host, hide),
      status: maybe(its.status, hide),
      region: maybe(its.region, hide),
      groupId: groupId !== undefined && secrets.isIn(groupId) ? undefined : groupId,
      otherId: otherId !== undefined && secrets.isIn(otherId) ? undefined : otherId,
      tags: Object.freeze(await turns.map(its.tags, hide)),
      metadata: new Map(await turns.map(its.metadata, pair)),
      traits: await turns.map(its.traits, hide),
      pages: its.pages && (await pages(its.pages, turns)),
      bulkEndExclusion: maybe(its.bulkEndExclusion, hide),
      inUseBy: maybe(its.inUseBy, hide),
      facts: await turns.map(its.facts, pair),
    };
    if (!same(shown, its)) return shown;
    // Then what was listed needn't be kept beside it. Other extensions are handed these.
    Object.freeze(its.tags);
    return its;
  }

  async function groupsIn(
    { groups, faults }: Pick<Inventory, 'groups' | 'faults'>,
    turns = new Turns(),
  ): Promise<Pick<Inventory, 'groups' | 'faults'>> {
    const shown = groups.filter(({ id }) => !secrets.isIn(id));
    return {
      groups: await turns.map(shown, (group) => redactedGroup(group, hide)),
      faults: await turns.map(faults, (fault) => redactedFault(fault, hide)),
    };
  }

  async function inventory(page: Inventory, known: Map<SessionId, Known>): Promise<Inventory> {
    if (secrets.isEmpty) return page;
    const sessions: Session[] = [];
    let unshown = 0;
    const turns = new Turns();
    for (const one of page.sessions) {
      if (turns.isOver) await turns.pass();
      const before = last.get(one.id);
      if (before?.listed === one) {
        known.set(one.id, before);
        sessions.push(before.shown);
      } else if (secrets.isIn(one.id)) unshown++;
      else sessions.push(await sessionAsBefore(one, known, turns));
    }
    const { groups, faults } = await groupsIn(page, turns);
    return {
      ...page,
      sessions,
      groups,
      faults: [...faults, ...Array.from({ length: unshown }, () => unshownSession)],
      account: page.account && facts(page.account),
    };
  }

  return {
    hide,
    get ending() {
      return provider.ending;
    },
    check: (signal) => guarded(async () => facts(await provider.check(signal))),
    async *list(signal) {
      try {
        const known = new Map<SessionId, Known>();
        for await (const page of provider.list(signal)) yield await inventory(page, known);
        last = known;
      } catch (error) {
        throw redactedError(error, redact);
      }
    },
    end: (ending, signal) =>
      guarded(async () => {
        const answer = await provider.end(ending, signal);
        return { ...answer, how: maybe(answer.how, hide) };
      }),
    probe: (probed, signal) => guarded(() => provider.probe(probed, signal)),
    get probeMany() {
      return guardedCall(provider.probeMany);
    },
    get endEverything() {
      return guardedCall(provider.endEverything);
    },
    get deleteGroup() {
      return guardedCall(provider.deleteGroup, async (deletion) => ({
        ...deletion,
        failures: await new Turns().map(deletion.failures, ({ sessionId, reason }) => ({
          sessionId: secrets.isIn(sessionId) ? hide(sessionId) : sessionId,
          reason: hide(reason),
        })),
        message: maybe(deletion.message, hide),
      }));
    },
    get finishedGroups() {
      const { finishedGroups } = provider;
      if (finishedGroups === undefined) return undefined;
      return async function* (signal: AbortSignal) {
        try {
          for await (const page of finishedGroups.call(provider, signal)) yield await groupsIn(page);
        } catch (error) {
          throw redactedError(error, redact);
        }
      };
    },
    get lookUpGroup() {
      return guardedCall(provider.lookUpGroup);
    },
    get cancelGroup() {
      return guardedCall(provider.cancelGroup);
    },
    get pages() {
      return guardedCall(provider.pages, (all) => pages(all));
    },
    get mayLookUpPages() {
      return provider.mayLookUpPages;
    },
    get liveView() {
      return guardedCall(provider.liveView, (given) => {
        const view = withSafeHost(given, given.url, secrets);
        const { close } = view;
        return close === undefined ? view : { ...view, close: (signal) => guarded(() => close.call(view, signal)) };
      });
    },
    get devtools() {
      return guardedCall(provider.devtools, ({ connection, owns }) => ({
        connection: redactedConnection(connection, secrets),
        owns: (context) => owns(context),
      }));
    },
    get screenshot() {
      return guardedCall(provider.screenshot);
    },
    get recording() {
      return guardedCall(provider.recording, (url) => withSafeHost(url, url, secrets));
    },
    get dashboard() {
      const { dashboard } = provider;
      return (
        dashboard &&
        ((id: SessionId) => {
          try {
            return dashboard.call(provider, id);
          } catch (error) {
            throw redactedError(error, redact);
          }
        })
      );
    },
    get endCause() {
      return guardedCall(provider.endCause);
    },
  };
}

/** Unnamed, because the id may not be shown. So no session that is missing from the list counts as ended. */
const unshownSession: ListFault = {
  subject: 'A session',
  what: "its ID contains this account's key. End it at the provider, and replace the key.",
  unnamed: true,
};

/**
 * If part of the subject was hidden, which can happen by chance with a short secret, the fault no longer says which
 * session it is about. It becomes unnamed, so that the session doesn't count as missing from the list.
 */
function redactedFault(fault: ListFault, hide: Redact): ListFault {
  const subject = hide(fault.subject);
  const what = hide(fault.what);
  return subject === fault.subject ? { ...fault, what } : { ...fault, subject, what, unnamed: true };
}

/** @throws ProviderError `unexpectedAnswer` for a host that contains a secret too long to be there by chance. */
function withSafeHost<T>(value: T, { host }: URL, secrets: KnownSecrets): T {
  if (!secrets.isIn(host)) return value;
  const what = 'it returned an address with the key in its host name';
  throw new ProviderError({ kind: 'unexpectedAnswer', what }, what);
}

function maybe(text: string | undefined, hide: Redact): string | undefined {
  return text === undefined ? undefined : hide(text);
}

function redactedGroup(group: Group, hide: Redact): Group {
  return { ...group, name: maybe(group.name, hide), status: maybe(group.status, hide) };
}
