import * as v from 'valibot';
import type { HttpRequest } from '../../core/http.ts';
import { type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import { newSession } from '../../core/newSession.ts';
import type { Session, SessionPhase } from '../../core/session.ts';
import { translatable } from '../../core/translatable.ts';
import { usageOf } from '../../core/usage.ts';
import { dateField, decodeEach, decodeList, idField, textsField } from '../../http/decode.ts';
import { everyPage, namedBy } from '../../http/paging.ts';
import type { AnchorApi } from './api.ts';

/** The largest page that GET /v1/sessions accepts. */
const sessionsPerPage = 50;
/** The statuses that mean ended: documented, sent by webhooks, or seen in clients. Any other status is running. */
const endedStatuses = new Set(['completed', 'failed', 'stopped', 'ended', 'terminated', 'deleted', 'cancelled']);
/** An empty part of a list. */
export const emptyList: Inventory = { sessions: [], groups: [], faults: [], account: undefined };
const phases: Readonly<Record<string, SessionPhase>> = {
  pending: 'starting',
  processing: 'starting',
  starting: 'starting',
  running: 'running',
  active: 'running',
  idle: 'idle',
  stopping: 'ending',
  terminating: 'ending',
};

const Tags = v.fallback(textsField, []);
const FlatSession = v.object({ session_id: idField, status: v.string(), tags: Tags, created_at: dateField });
const FlatList = v.object({ data: v.object({ items: v.array(v.unknown()) }) });
const PagedSession = v.object({
  id: idField,
  status: v.string(),
  tags: Tags,
  created_at: dateField,
  headless: v.fallback(v.boolean(), false),
  proxy_type: v.fallback(v.nullable(v.string()), null),
  /** A number, or a decimal number as text; `N/A` while the session runs. */
  used_credits: v.optional(v.unknown()),
  api_key_name: v.fallback(v.nullable(v.string()), null),
  domains: v.fallback(textsField, []),
});
/** A session of the paged list. */
export type PagedSession = v.InferOutput<typeof PagedSession>;
const PagedList = v.object({ data: v.object({ sessions: v.array(v.unknown()), total_pages: v.number() }) });
/** The sessions of the account's key, which every valid key may list. */
export const flatListRequest: HttpRequest = { method: 'GET', route: '/v1/sessions/all/status' };

/** The rows that were read, and what was wrong with the others. */
export interface Decoded<Row> {
  readonly rows: readonly Row[];
  readonly faults: readonly ListFault[];
}

/** The sessions of this key, which ending several at once is limited to (GET /v1/sessions has the whole team's). */
export async function flatList({ send }: AnchorApi, signal: AbortSignal): Promise<Inventory> {
  const answer = await send(flatListRequest, signal);
  const list = await decodeList(FlatList, ['data', 'items'], answer);
  const { rows, faults } = await decodeEach(FlatSession, list, namedBy('session_id'));
  const sessions = rows
    .filter(({ status }) => !hasEnded(status))
    .map((row) => sessionOf(sessionId(row.session_id), row.status, row.tags, row.created_at));
  return { ...emptyList, sessions, faults };
}

/** The team's running sessions, with details that the flat list lacks, page by page. */
export async function* pagedList({ send }: AnchorApi, signal: AbortSignal): AsyncGenerator<Decoded<PagedSession>> {
  const read = async (page: number) => {
    const query = { status: 'running', page, limit: sessionsPerPage, sort_by: 'created_at', sort_order: 'desc' };
    const answer = await send({ method: 'GET', route: '/v1/sessions', query }, signal);
    const { whole, rows, faults } = await decodeList(PagedList, ['data', 'sessions'], answer);
    return { rows, faults, more: page < whole.data.total_pages };
  };
  for await (const page of everyPage(read, namedBy('id'))) yield await decodeEach(PagedSession, page, namedBy('id'));
}

/** Whether a status means ended. */
export function hasEnded(status: string): boolean {
  return endedStatuses.has(status.toLowerCase());
}

function sessionOf(id: SessionId, status: string, tags: readonly string[], startedAt: number | undefined): Session {
  return newSession(id, {
    phase: phases[status.toLowerCase()] ?? 'unknown',
    status,
    startedAt,
    tags,
    // Its ID is a UUID. Its two lists may say different starts.
    hasUniqueId: true,
  });
}

/** A session of the paged list. If the flat list doesn't have it, it was started with another key of the team. */
export function withDetails(row: PagedSession, flat: Session | undefined): Session {
  const session = flat ?? sessionOf(sessionId(row.id), row.status, row.tags, row.created_at);
  const key = row.api_key_name ?? 'another key';
  return {
    ...session,
    host: row.domains[0],
    traits: [
      ...(row.headless ? [translatable('headless')] : []),
      ...(row.proxy_type !== null && row.proxy_type !== 'none' ? [translatable('proxy')] : []),
      ...(flat === undefined ? [`key: ${key}`] : []),
    ],
    usage: usageOf('credits', { used: row.used_credits }),
    bulkEndExclusion: flat === undefined ? `It was started with ${key} of your team.` : undefined,
    facts: [
      ...(row.api_key_name === null ? [] : [[translatable('Key'), row.api_key_name] as const]),
      ...(row.domains.length === 0 ? [] : [[translatable('Domains'), row.domains.join(', ')] as const]),
    ],
  };
}
