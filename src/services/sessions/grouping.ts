import { createHash } from 'node:crypto';
import type { Group } from '../../core/group.ts';
import { type GroupId, groupId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';

/**
 * Groups sessions that have the same value under a metadata key. Sessions that the provider groups itself, or that don't
 * have the key, stay as they are. An empty key groups nothing.
 */
export function groupByMetadata(page: Inventory, key: string): Inventory {
  if (key === '') return page;
  const groups = new Map<GroupId, Group>(page.groups.map((group) => [group.id, group]));
  const sessions = page.sessions.map((session) => {
    const value = session.metadata.get(key);
    if (value === undefined || session.groupId !== undefined) return session;
    const id = idOf(key, value);
    groups.set(id, { id, kind: 'metadata', name: `${key}: ${value}`, status: undefined, createdAt: undefined });
    return { ...session, groupId: id };
  });
  return { ...page, sessions, groups: [...groups.values()] };
}

/** The value may be any text, but an id may not. */
function idOf(key: string, value: string): GroupId {
  const digest = createHash('sha256')
    .update(JSON.stringify([key, value]))
    .digest('hex');
  return groupId(`metadata-${digest.slice(0, 32)}`);
}
