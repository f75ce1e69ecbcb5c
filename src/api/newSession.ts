import type { Group } from '../core/group.ts';
import type { GroupId, PageId, SessionId } from '../core/ids.ts';
import { type KnownFacts, newSession as sessionWith } from '../core/newSession.ts';
import type { Page } from '../core/page.ts';
import type { Session } from '../core/session.ts';

/** A page of a session. Only its id is required. */
export interface PageFields {
  readonly id: string;
  readonly title?: string | undefined;
  readonly url?: string | undefined;
}

/** What a list says about a session besides its id; see {@link Session}. */
export interface SessionFields
  extends Omit<
    KnownFacts,
    'browserId' | 'drives' | 'groupId' | 'hasUniqueId' | 'local' | 'metadata' | 'otherId' | 'pages'
  > {
  readonly groupId?: string | undefined;
  /** The keys and values that its owner attached. */
  readonly metadata?: ReadonlyMap<string, string> | Readonly<Record<string, string>> | undefined;
  readonly pages?: readonly PageFields[] | undefined;
}

/** What a list says about a group besides its id; see {@link Group}. */
export type GroupFields = { readonly [Key in Exclude<keyof Group, 'id'>]?: Group[Key] | undefined };

/**
 * Makes a session from what the provider says, and fills in the rest: by default a session is running, ends as a whole,
 * and can be watched if the provider has live views. Fields that later versions add are filled in, too.
 * @param id the provider's id. One that can't be sent back safely is reported in the list, next to the other sessions.
 */
export function newSession(id: string, fields: SessionFields = {}): Session {
  const { groupId, pages } = fields;
  const metadata = fields.metadata ?? {};
  return sessionWith(id as SessionId, {
    ...fields,
    groupId: groupId as GroupId | undefined,
    metadata: new Map(metadata instanceof Map ? metadata : Object.entries(metadata)),
    pages: pages?.map(newPage),
  });
}

function newPage({ id, title = '', url = '' }: PageFields): Page {
  return { id: id as PageId, title, url };
}

/** Makes a group of sessions. By default it is a batch: a group that the provider itself can delete or cancel. */
export function newGroup(id: string, fields: GroupFields = {}): Group {
  return {
    id: id as GroupId,
    kind: fields.kind ?? 'batch',
    name: fields.name,
    status: fields.status,
    createdAt: fields.createdAt,
    canCancel: fields.canCancel,
    counts: fields.counts,
  };
}
