import type { AccountFacts } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { GroupId, SessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import { same } from '../../core/same.ts';
import type { Session } from '../../core/session.ts';

/** An account's sessions, groups and faults by id, in the provider's order. */
export interface Contents {
  readonly sessions: ReadonlyMap<SessionId, Session>;
  readonly groups: ReadonlyMap<GroupId, Group>;
  readonly faults: readonly ListFault[];
  /** Sessions from an earlier list that the last one may or may not have: not all of its rows could be read. */
  readonly unread?: ReadonlySet<SessionId>;
  /** What the provider says about the account itself; undefined where it says nothing, or hasn't yet. */
  readonly account: AccountFacts | undefined;
  /** Whether these are the combined lists of several servers behind one address. */
  readonly combined: boolean;
}

/** An account about which nothing is known yet. */
export const noContents: Contents = {
  sessions: new Map(),
  groups: new Map(),
  faults: [],
  account: undefined,
  combined: false,
};

/** The listed groups, and those to which only sessions missing from the list belong. */
export function withGroupsOf(
  kept: readonly (readonly [SessionId, Session])[],
  listed: Contents['groups'],
  before: Contents['groups'],
): Contents['groups'] {
  const missing = kept.flatMap(([, { groupId }]) => {
    const group = groupId === undefined || listed.has(groupId) ? undefined : before.get(groupId);
    return group === undefined ? [] : [[group.id, group] as const];
  });
  return missing.length === 0 ? listed : new Map([...listed, ...missing]);
}

/** Adds a page of a list. */
export function merge(into: Contents, page: Inventory): Contents {
  const sessions = new Map(into.sessions);
  for (const session of page.sessions) sessions.set(session.id, session);
  const groups = new Map(into.groups);
  for (const group of page.groups) groups.set(group.id, group);
  return {
    sessions,
    groups,
    faults: withFaults(into.faults, page.faults),
    account: page.account ?? into.account,
    combined: into.combined,
  };
}

/**
 * Adds the faults of a page that no page before has had: each of several servers behind one address may list the same row.
 */
function withFaults(into: readonly ListFault[], faults: readonly ListFault[]): readonly ListFault[] {
  if (faults.length === 0) return into;
  const known = new Set(into.map(faultKey));
  return [...into, ...faults.filter((fault) => !known.has(faultKey(fault)))];
}

function faultKey({ subject, what }: ListFault): string {
  return JSON.stringify([subject, what]);
}

/** What was known plus what is new, or plus everything that has arrived. The same map where that adds no session. */
export function withNew(known: Contents, arrived: Contents, all: boolean): Contents {
  if (all) return { ...arrived, sessions: new Map([...known.sessions, ...arrived.sessions]) };
  const added = [...arrived.sessions].filter(([id]) => !known.sessions.has(id));
  return {
    sessions: added.length === 0 ? known.sessions : new Map([...known.sessions, ...added]),
    groups: new Map([...arrived.groups, ...known.groups]),
    faults: known.faults,
    account: known.account,
    combined: known.combined,
  };
}

/** Which sessions differ; `membership` when a row was added, removed or moved. */
export function changedSessions(
  before: ReadonlyMap<SessionId, Session>,
  after: ReadonlyMap<SessionId, Session>,
): readonly SessionId[] | 'membership' {
  if (before.size !== after.size) return 'membership';
  const changed: SessionId[] = [];
  for (const [id, session] of after) {
    const known = before.get(id);
    if (known === undefined || known.groupId !== session.groupId || known.startedAt !== session.startedAt) {
      return 'membership';
    }
    if (!same(known, session)) changed.push(id);
  }
  return changed;
}

/** Most sessions of an account that are shown though lists leave them out, and most pages of those. */
const mostMissing = 5_000;
const mostPagesOfMissing = 20_000;

/** The sessions missing from a list that are kept: all that are ending, and the ones listed last. */
export function withinBounds(
  missing: readonly (readonly [SessionId, Session])[],
  isEnding: (id: SessionId) => boolean,
): { readonly kept: readonly (readonly [SessionId, Session])[]; readonly forgotten: ReadonlySet<SessionId> } {
  const ending = missing.filter(([id]) => isEnding(id));
  const others = missing.filter(([id]) => !isEnding(id));
  let room = 0;
  for (let pages = 0; room < Math.min(others.length, mostMissing - ending.length); room++) {
    pages += others[room]?.[1].pages?.length ?? 0;
    if (pages > mostPagesOfMissing) break;
  }
  return { kept: [...ending, ...others.slice(0, room)], forgotten: new Set(others.slice(room).map(([id]) => id)) };
}

/** The fault that reports the sessions that aren't kept. */
export function tooManyMissing(count: number): readonly ListFault[] {
  if (count === 0) return [];
  return [{ subject: `${count} more sessions`, unnamed: true, what: 'too many are missing from the latest lists' }];
}
