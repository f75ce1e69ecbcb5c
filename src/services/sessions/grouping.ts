import { createHash } from 'node:crypto';
import type { Group } from '../../core/group.ts';
import { type GroupId, idFault } from '../../core/ids.ts';
import type { Session } from '../../core/session.ts';
import type { Contents } from './contents.ts';

/** What sessions can have in common that the list makes groups of. */
const valueKinds = ['tag', 'metadata', 'region', 'user', 'status'] as const;
type ValueKind = (typeof valueKinds)[number];

/** The ways to group the list: not at all, by the providers' own batches, or by something that sessions have in common. */
export const groupings = ['none', 'batch', ...valueKinds] as const;
/** One of {@link groupings}. */
export type GroupBy = (typeof groupings)[number];

/**
 * A group of the list: a provider's own, or one that the list makes of sessions that have something in common. The name of
 * the latter is what they have in common: clean it before showing. That of a `status` group is a
 * {@link Session.phase}, or the provider's own word where the phase is unknown.
 */
export interface ListGroup extends Omit<Group, 'kind'> {
  readonly kind: Group['kind'] | ValueKind;
}

/** How the sessions of an account are grouped: by the first of `by` that a session has. */
export interface Grouping {
  readonly by: readonly Exclude<GroupBy, 'none'>[];
  /** The key for `metadata`. Sessions aren't grouped by an empty one. */
  readonly metadataKey: string;
}

/**
 * The group that a session belongs to, at most one of an account: of several tags the first counts. Undefined for a session
 * that has nothing to be grouped by, which stays below its account.
 */
export function groupFor(
  grouping: Grouping,
  groups: Contents['groups'],
  session: Session,
  known?: Map<GroupId, ListGroup>,
): ListGroup | undefined {
  const { by, metadataKey } = grouping;
  for (const [index, kind] of by.entries()) {
    if (kind === 'batch') {
      const batch = session.groupId && groups.get(session.groupId);
      if (batch) return batch;
      continue;
    }
    const value = valueBy(kind, session, metadataKey);
    if (value === undefined) continue;
    const key = kind === 'metadata' ? metadataKey : '';
    const id = valueGroupId(by.slice(0, index + 1), key, value);
    const name = kind === 'metadata' ? `${key}: ${value}` : value;
    const group = known?.get(id) ?? { id, kind, name, status: undefined, createdAt: undefined };
    known?.set(id, group);
    return group;
  }
  return undefined;
}

/**
 * The group with this id that a session belongs to, if it does, however the list is grouped now. So an id means
 * the same sessions for as long as anyone keeps it.
 */
export function groupWithId(id: GroupId, groups: Contents['groups'], session: Session): ListGroup | undefined {
  const by = kindsOf(id);
  if (by === undefined) return session.groupId === id ? groups.get(id) : undefined;
  const keys = by.includes('metadata') ? session.metadata.keys() : [''];
  for (const metadataKey of keys) {
    const group = groupFor({ by, metadataKey }, groups, session);
    if (group?.id === id) return group;
  }
  return undefined;
}

/** Whether a session belongs to the group with this id, however the list is grouped now. */
export function isInGroup(id: GroupId, groups: Contents['groups'], session: Session): boolean {
  return kindsOf(id) === undefined ? session.groupId === id : groupWithId(id, groups, session) !== undefined;
}

/**
 * The sessions of each of several groups, however the list is grouped now. Goes through the sessions once, however many groups
 * there are.
 */
export function sessionsByGroup(
  ids: Iterable<GroupId>,
  { groups, sessions }: Contents,
): ReadonlyMap<GroupId, readonly Session[]> {
  const members = new Map<GroupId, Session[]>([...ids].map((id) => [id, []]));
  // By the beginning of their ids, which says by what they were made.
  const ways = new Map(
    [...members.keys()].flatMap((id) => {
      const by = kindsOf(id);
      return by === undefined ? [] : [[id.slice(0, id.indexOf('/')), by] as const];
    }),
  );
  for (const session of sessions.values()) {
    if (session.groupId !== undefined) members.get(session.groupId)?.push(session);
    for (const by of ways.values()) {
      const keys = by.includes('metadata') ? session.metadata.keys() : [''];
      const its = new Set([...keys].map((metadataKey) => groupFor({ by, metadataKey }, groups, session)?.id));
      // A batch that is among them was counted by its own id.
      for (const id of its) if (id !== undefined && id !== session.groupId) members.get(id)?.push(session);
    }
  }
  return members;
}

/** The group with this id, as the provider or a listed session has it. */
export function findGroup(id: GroupId, { groups, sessions }: Contents): ListGroup | undefined {
  const own = groups.get(id);
  if (own !== undefined || kindsOf(id) === undefined) return own;
  for (const session of sessions.values()) {
    const group = groupWithId(id, groups, session);
    if (group !== undefined) return group;
  }
  return undefined;
}

/** Whether a text is the id of a group that the list makes. No id of a provider is one: those have no slash. */
export function isValueGroupId(raw: unknown): raw is GroupId {
  return typeof raw === 'string' && kindsOf(raw) !== undefined;
}

/** Whether a text can be the id of a group, a provider's own or one that the list makes. */
export function isGroupId(raw: unknown): raw is GroupId {
  return idFault(raw) === undefined || isValueGroupId(raw);
}

/** By what the group with this id was made; undefined for a provider's own. */
function kindsOf(id: string): Grouping['by'] | undefined {
  const [, kinds = ''] = /^([a-z]+(?:\+[a-z]+)*)\/[0-9a-f]{32}$/.exec(id) ?? [];
  const by = kinds.split('+');
  const isKind = (kind: string): kind is Grouping['by'][number] =>
    kind === 'batch' || valueKinds.some((one) => one === kind);
  return by.every(isKind) ? by : undefined;
}

const digests = new Map<string, string>();
const mostDigests = 20_000;
/** In characters: longer ones are rare, and keeping them would cost memory. */
const longestKept = 200;

/**
 * The value may be any text, but an id may not. What was looked for first is part of the id, because the sessions
 * that the group has depend on it.
 */
function valueGroupId(by: Grouping['by'], key: string, value: string): GroupId {
  const text = JSON.stringify([key, value]);
  let digest = digests.get(text);
  if (digest === undefined) {
    digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
    if (digests.size >= mostDigests) digests.clear();
    if (text.length <= longestKept) digests.set(text, digest);
  }
  return `${by.join('+')}/${digest}` as GroupId;
}

function valueBy(kind: ValueKind, session: Session, metadataKey: string): string | undefined {
  switch (kind) {
    case 'tag':
      return session.tags.find((tag) => tag.trim() !== '');
    case 'metadata':
      return metadataKey === '' ? undefined : session.metadata.get(metadataKey);
    case 'region':
      return session.region?.trim() || undefined;
    case 'user':
      return userOf(session);
    case 'status':
      return session.phase === 'unknown' ? session.status?.trim() || undefined : session.phase;
  }
}

/** Names under which owners write into metadata or tags whose session it is, the best first. */
const userKeys = ['user', 'owner', 'username', 'userid', 'useremail', 'email', 'createdby', 'startedby', 'author'];

/** Whose session it is, as its owner wrote into its metadata, or into a tag such as `user:anna`. */
export function userOf({ metadata, tags }: Session): string | undefined {
  if (metadata.size === 0 && tags.length === 0) return undefined;
  const written = new Map<string, string>();
  const add = (key: string, value: string) => {
    const plainKey = key.toLowerCase().replace(/[-_. ]/g, '');
    if (value.trim() !== '' && !written.has(plainKey)) written.set(plainKey, value.trim());
  };
  for (const [key, value] of metadata) add(key, value);
  for (const tag of tags) {
    const [, key, value] = /^([^:=]{1,40})[:=](.+)$/.exec(tag) ?? [];
    if (key !== undefined && value !== undefined) add(key, value);
  }
  for (const key of userKeys) {
    const value = written.get(key);
    if (value !== undefined) return value;
  }
  return undefined;
}
