import * as v from 'valibot';
import type { Clock } from '../../core/clock.ts';
import type { Group, GroupDeletion } from '../../core/group.ts';
import { type GroupId, groupId, idFault, type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import type { Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import { dateField, decodeEach, decodeList, idField } from '../../http/decode.ts';
import { everyPage, namedBy } from '../../http/paging.ts';
import { type AnchorApi, bulkTimeoutMs, detailTroubles } from './api.ts';
import type { Decoded } from './sessions.ts';

/** The largest page that GET /v1/batch-sessions accepts. */
const batchesPerPage = 100;
/**
 * Only batches created at most this long before the oldest running session are requested, in milliseconds: the list
 * goes back to the first batch ever. Sessions of a batch that takes longer to start them are shown outside their group.
 */
const batchLeadMs = 24 * 3_600_000;
/** How many batches are listed, and for how many of them the sessions are requested at each refresh. */
const mostBatches = 1_000;
const mostBatchesAsked = 100;
/** For how many sessions the batch is kept, until the next list shows which of them are running. */
const mostKnownSessions = 50_000;
/** For how many of those that the last list left out: a list may be late, and they come back. */
const mostLeftOut = 5_000;
/** How far the provider's own clocks may differ, in milliseconds, when a session is matched to its batch. */
const clockSlackMs = 60_000;
/** How long after a batch has made its sessions lists may still leave some out, in milliseconds, with that difference. */
const listedAfterMs = 300_000;

const Batch = v.object({
  batch_id: idField,
  status: v.string(),
  created_at: dateField,
  actual_completion_time: dateField,
  total_requests: v.fallback(v.optional(v.number()), undefined),
  failed_requests: v.fallback(v.optional(v.number()), undefined),
});
type Batch = v.InferOutput<typeof Batch>;
const BatchList = v.object({
  data: v.object({ batches: v.array(v.unknown()), pagination: v.object({ has_next: v.boolean() }) }),
});
const BatchSession = v.object({
  session_id: v.optional(v.nullable(v.string())),
  live_view_url: v.optional(v.nullable(v.string())),
});
type BatchSession = v.InferOutput<typeof BatchSession>;
const BatchDetail = v.object({ data: v.object({ sessions: v.fallback(v.array(v.unknown()), []) }) });
/** The part of a batch's detail that its row in the list has, too. */
const BatchCounts = v.object({ data: Batch });
const Count = v.fallback(v.optional(v.number()), undefined);
/** Its schema requires none of these fields. */
const Deletion = v.object({
  data: v.object({
    deleted_sessions: Count,
    failed_deletions: Count,
    errors: v.fallback(v.array(v.unknown()), []),
    message: v.fallback(v.optional(v.string()), undefined),
  }),
});
const DeletionError = v.object({
  session_id: v.fallback(v.optional(v.string()), undefined),
  error: v.optional(v.unknown()),
});

/** The batches of one account, and which of its sessions they made. */
export class AnchorBatches {
  readonly #api: AnchorApi;
  readonly #clock: Clock;
  /** A session's batch. It never changes once the batch has made all of its sessions. */
  readonly #batchOf = new Map<SessionId, GroupId>();
  /** How many sessions are known of each batch that has made all of them. It may still make up for failed ones. */
  readonly #whole = new Map<GroupId, number>();
  /** The batches that have or may have running sessions, as they were listed last. */
  #known: ReadonlyMap<GroupId, Group> = new Map();
  /** How many sessions each batch has made, in case a deletion's answer doesn't say. */
  readonly #sizes = new Map<GroupId, number>();

  constructor(api: AnchorApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Finds out which of the running sessions came from a batch, with as few requests as possible. */
  async groupsOf(running: readonly Session[], signal: AbortSignal): Promise<Inventory> {
    this.#forgetEnded(running);
    const oldest = Math.min(this.#clock.now(), ...running.flatMap(({ startedAt }) => startedAt ?? []));
    const groups: Group[] = [];
    const faults: ListFault[] = [];
    const listed = new Set<GroupId>();
    const turns = new Turns();
    /** How many more batches may be asked for their sessions, and how many weren't asked because of this limit. */
    let mayAsk = mostBatchesAsked;
    let notAsked = 0;
    for await (const page of this.#list(oldest - batchLeadMs, signal)) {
      faults.push(...page.faults);
      for (const batch of page.rows) {
        if (turns.isOver) await turns.pass();
        const id = groupId(batch.batch_id);
        listed.add(id);
        const making = isBeingMade(batch);
        const isWhole = (this.#whole.get(id) ?? -1) >= sizeOf(batch);
        const isWanted = !isWhole && (making || running.some((session) => mayBeFrom(session, batch, this.#batchOf)));
        if (isWanted && mayAsk === 0) notAsked++;
        else if (isWanted) {
          mayAsk--;
          const known = this.#note(id, await this.#members(id, signal));
          // "completed" means that all sessions were made, not that any has ended.
          if (!making && known >= sizeOf(batch)) this.#whole.set(id, known);
        }
        if (making || running.some((session) => this.#batchOf.get(session.id) === id)) {
          groups.push(groupOf(batch));
        }
      }
    }
    for (const id of this.#whole.keys()) if (!listed.has(id)) this.#whole.delete(id);
    for (const id of this.#sizes.keys()) if (!listed.has(id)) this.#sizes.delete(id);
    if (notAsked > 0) {
      const what = 'their sessions are loaded at the next refresh';
      faults.push({ subject: `${notAsked} more batches`, hidesSession: false, what });
    }
    const kept = new Set(this.#batchOf.values());
    const before = [...this.#known].filter(([id]) => kept.has(id));
    this.#known = new Map([...before, ...groups.map((group) => [group.id, group] as const)]);
    // One that is older than what was requested may still have running sessions.
    const { sessions, groups: inUse } = this.knownGroupsOf(running);
    return { sessions, groups: [...new Set([...groups, ...inUse])], faults, account: undefined };
  }

  /**
   * What is known of the batches of running sessions, for when they can't be listed. Without it, a batch would seem to have no
   * running sessions, and deleting it would end them unseen.
   */
  knownGroupsOf(running: readonly Session[]): Inventory {
    const sessions = this.#grouped(running);
    const ids = new Set(sessions.map((session) => session.groupId));
    const groups = [...this.#known.values()].filter(({ id }) => ids.has(id));
    return { sessions, groups, faults: [], account: undefined };
  }

  #grouped(running: readonly Session[]): readonly Session[] {
    const grouped = running.filter(({ id }) => this.#batchOf.has(id));
    return grouped.map((session) => ({ ...session, groupId: this.#batchOf.get(session.id) }));
  }

  #forgetEnded(running: readonly Session[]): void {
    const ids = new Set(running.map(({ id }) => id));
    const leftOut = [...this.#batchOf].filter(([id]) => !ids.has(id));
    for (const [id, batch] of leftOut.slice(0, -mostLeftOut)) {
      this.#batchOf.delete(id);
      // If one of them comes back, the batch must be asked again.
      this.#whole.delete(batch);
    }
  }

  /** The link to a session's live view from its batch; undefined if there is none. @throws ProviderError */
  async liveViewLink(id: SessionId, signal: AbortSignal): Promise<string | undefined> {
    const batch = this.#batchOf.get(id);
    const members = batch === undefined ? [] : await this.#members(batch, signal);
    return members.find((one) => one.session_id === id)?.live_view_url ?? undefined;
  }

  /** Every batch that has made all of its sessions. @throws ProviderError */
  async *finished(signal: AbortSignal): ReturnType<NonNullable<Provider['finishedGroups']>> {
    for await (const { rows, faults } of this.#list(undefined, signal)) {
      yield { groups: rows.filter((batch) => !isBeingMade(batch)).map(groupOf), faults };
    }
  }

  /**
   * Finds out which sessions a batch has made, however old it is.
   * @returns them, and whether it may have made some so recently that lists don't have them yet.
   * @throws ProviderError
   */
  async lookUp(
    id: GroupId,
    signal: AbortSignal,
  ): Promise<{ readonly sessions: readonly SessionId[]; readonly isRecent: boolean }> {
    const answer = await this.#detail(id, signal);
    const batch = (await decodeList(BatchCounts, ['data', 'sessions'], answer)).whole.data;
    const { rows, faults } = await membersIn(answer);
    const ids = idsIn(rows);
    const known = this.#note(id, rows);
    this.#known = new Map([...this.#known, [id, groupOf(batch)]]);
    // It may not know all of their IDs yet. One that was canceled or failed may not have made all of them.
    const found = isBeingMade(batch) || batch.status === 'completed' ? known : rows.length;
    if (faults.length > 0 || found < sizeOf(batch)) {
      const trouble = { kind: 'unexpectedAnswer', what: 'it left out sessions of a batch' } as const;
      throw new ProviderError(trouble, `${known} of ${sizeOf(batch)} sessions of a batch could be read`);
    }
    const madeAt = batch.actual_completion_time ?? (batch.created_at ?? this.#clock.now()) + batchLeadMs;
    return { sessions: ids, isRecent: isBeingMade(batch) || this.#clock.now() - madeAt < listedAfterMs };
  }

  /** Takes note of a batch's sessions. @returns how many have an ID; those that failed or are being started have none. */
  #note(batch: GroupId, members: readonly BatchSession[]): number {
    const ids = idsIn(members);
    for (const id of ids) if (this.#batchOf.size < mostKnownSessions) this.#batchOf.set(id, batch);
    return ids.length;
  }

  /** Ends a batch's sessions and deletes their data. @throws ProviderError */
  async delete(id: GroupId, signal: AbortSignal): Promise<GroupDeletion> {
    const size = this.#sizes.get(id) ?? (await this.#sizeAsked(id, signal));
    const about = { route: '/v1/batch-sessions/{batch_id}', params: { batch_id: id }, timeoutMs: bulkTimeoutMs };
    const answer = await this.#api.send({ method: 'DELETE', ...about }, signal);
    const { whole, rows, count } = await decodeList(Deletion, ['data', 'errors'], answer);
    const { data } = whole;
    const failures = rows.flatMap(failureOf);
    // If the answer lists more failures than it counts, the list is right.
    const failed = Math.max(data.failed_deletions ?? count, failures.length);
    return { deleted: data.deleted_sessions ?? Math.max(0, size - failed), failed, failures, message: data.message };
  }

  /** Stops a batch from making more sessions. @throws ProviderError */
  async cancel(id: GroupId, signal: AbortSignal): Promise<void> {
    const route = '/v1/batch-sessions/{batch_id}';
    await this.#api.send({ method: 'PATCH', route, params: { batch_id: id }, body: { status: 'cancelled' } }, signal);
  }

  async *#list(createdAfter: number | undefined, signal: AbortSignal): AsyncGenerator<Decoded<Batch>> {
    const since = createdAfter === undefined ? {} : { created_after: new Date(createdAfter).toISOString() };
    const read = async (page: number) => {
      const query = { page, limit: batchesPerPage, ...since };
      const answer = await this.#api.send({ method: 'GET', route: '/v1/batch-sessions', query }, signal);
      const { whole, rows, faults } = await decodeList(BatchList, ['data', 'batches'], answer);
      return { rows, faults, more: whole.data.pagination.has_next };
    };
    for await (const listed of everyPage(read, namedBy('batch_id'), mostBatches)) {
      const page = await decodeEach(Batch, listed, namedBy('batch_id'));
      for (const batch of page.rows) this.#sizes.set(groupId(batch.batch_id), sizeOf(batch));
      // Faults about batches, not about sessions.
      yield {
        rows: page.rows,
        faults: page.faults.map(({ subject, what }) => ({ subject: `Batches: ${subject}`, hidesSession: false, what })),
      };
    }
  }

  #detail(id: GroupId, signal: AbortSignal): ReturnType<AnchorApi['send']> {
    const route = '/v1/batch-sessions/{batch_id}';
    return this.#api.send({ method: 'GET', route, params: { batch_id: id } }, signal);
  }

  async #members(id: GroupId, signal: AbortSignal): Promise<readonly BatchSession[]> {
    return (await membersIn(await this.#detail(id, signal))).rows;
  }

  /** How many sessions a batch has made, if no list has said so; 0 if its detail doesn't say either. */
  async #sizeAsked(id: GroupId, signal: AbortSignal): Promise<number> {
    try {
      const answer = await this.#detail(id, signal);
      return sizeOf((await decodeList(BatchCounts, ['data', 'sessions'], answer)).whole.data);
    } catch (error) {
      if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
      return 0;
    }
  }
}

function idsIn(members: readonly BatchSession[]): readonly SessionId[] {
  return members.flatMap(({ session_id: id }) => (id != null && idFault(id) === undefined ? [sessionId(id)] : []));
}

async function membersIn(detail: Awaited<ReturnType<AnchorApi['send']>>): Promise<Decoded<BatchSession>> {
  const list = await decodeList(BatchDetail, ['data', 'sessions'], detail);
  return decodeEach(BatchSession, list, namedBy('session_id'));
}

function isBeingMade({ status }: Batch): boolean {
  return status === 'pending' || status === 'processing';
}

function groupOf(batch: Batch): Group {
  const { total_requests: total, failed_requests: failed } = batch;
  return {
    id: groupId(batch.batch_id),
    kind: 'batch',
    name: undefined,
    status: batch.status,
    createdAt: batch.created_at,
    // Canceling a finished batch is answered with 409.
    canCancel: isBeingMade(batch),
    counts: total === undefined ? undefined : { total, failed: failed ?? 0 },
  };
}

/** How many sessions a batch has made. */
function sizeOf({ total_requests = 0, failed_requests = 0 }: Batch): number {
  return Math.max(0, total_requests - failed_requests);
}

/** The failures in one entry of a deletion's `errors`, whatever its shape; none if it says nothing. */
function failureOf(entry: unknown): GroupDeletion['failures'] {
  if (typeof entry === 'string' && entry !== '') return [{ sessionId: '', reason: entry }];
  if (!v.is(DeletionError, entry)) return [];
  const { session_id = '', error } = v.parse(DeletionError, entry);
  if (session_id === '' && error == null) return [];
  const reason = typeof error === 'string' ? error : error == null ? '' : JSON.stringify(error);
  return [{ sessionId: session_id, reason: reason === '' ? 'it gave no reason' : reason }];
}

/** Whether this batch may have made a session, judging by when it started; false once the session's batch is known. */
function mayBeFrom(session: Session, batch: Batch, known: ReadonlyMap<SessionId, GroupId>): boolean {
  if (known.has(session.id)) return false;
  if (session.startedAt === undefined || batch.created_at === undefined) return true;
  const made = batch.actual_completion_time ?? Number.POSITIVE_INFINITY;
  return session.startedAt >= batch.created_at - clockSlackMs && session.startedAt <= made + clockSlackMs;
}
