import * as v from 'valibot';
import { sessionId } from '../../core/ids.ts';
import { newSession } from '../../core/newSession.ts';
import type { EndCause, Session, SessionPhase } from '../../core/session.ts';
import { translatable } from '../../core/translatable.ts';
import { dateField, idField } from '../../http/decode.ts';

/** The statuses that mean ended, and how. Any other status is a running session. */
export const endCauses: ReadonlyMap<string, EndCause['how']> = new Map([
  ['COMPLETED', 'completed'],
  ['ERROR', 'failed'],
  ['TIMED_OUT', 'timedOut'],
]);
export const endedStatuses: ReadonlySet<string> = new Set(endCauses.keys());
const phases: Readonly<Record<string, SessionPhase>> = { PENDING: 'starting', RUNNING: 'running' };
/** Most characters of a metadata value that are kept; the provider allows 512 for all values together. */
const longestMetadata = 512;
const mostMetadata = 50;
/** Most labels of a session that are kept, and most characters of each. */
const mostLabels = 50;
const longestLabel = 200;

/** A row of the list of sessions. */
export const SessionListRow = v.object({
  id: idField,
  status: v.string(),
  createdAt: dateField,
  startedAt: dateField,
  expiresAt: dateField,
  projectId: v.fallback(v.nullish(v.string()), undefined),
  region: v.fallback(v.nullish(v.string()), undefined),
  keepAlive: v.fallback(v.boolean(), false),
  contextId: v.fallback(v.nullish(v.string()), undefined),
  userMetadata: v.fallback(v.nullish(v.pipe(v.record(v.string(), v.unknown()), v.transform(metadataOf))), undefined),
  labels: v.fallback(v.array(v.unknown()), []),
});
/** Rows may lack labels. Whether a label is a name or an object isn't documented. */
const Label = v.union([
  v.string(),
  v.pipe(
    v.object({ name: v.string() }),
    v.transform(({ name }) => name),
  ),
]);
export type SessionListRow = v.InferOutput<typeof SessionListRow>;

/** Whether Stagehand started the session. It writes this on every session that it starts. */
export function isStagehands(metadata: ReadonlyMap<string, string>): boolean {
  return metadata.get('stagehand') === 'true';
}

export function sessionOf(row: SessionListRow): Session {
  const metadata = row.userMetadata ?? new Map<string, string>();
  const facts: (readonly [string, string | undefined])[] = [
    [translatable('Project'), row.projectId ?? undefined],
    [translatable('Context'), row.contextId ?? undefined],
    [translatable('Expires'), row.expiresAt === undefined ? undefined : new Date(row.expiresAt).toISOString()],
    ...metadata,
  ];
  return newSession(sessionId(row.id), {
    name: metadata.get('name'),
    phase: phases[row.status] ?? 'unknown',
    status: row.status,
    // A pending session has no `startedAt` yet, and a start that changes later would look like another session.
    startedAt: row.createdAt ?? row.startedAt,
    region: row.region ?? undefined,
    tags: labelsIn(row.labels),
    metadata,
    traits: [...(isStagehands(metadata) ? ['Stagehand'] : []), ...(row.keepAlive ? [translatable('keep alive')] : [])],
    facts: facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const])),
    // Its ID is a UUID.
    hasUniqueId: true,
  });
}

function labelsIn(raw: readonly unknown[]): readonly string[] {
  return raw
    .slice(0, mostLabels)
    .flatMap((label) => (v.is(Label, label) ? v.parse(Label, label).slice(0, longestLabel) : []))
    .filter((name) => name !== '');
}

function metadataOf(raw: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const entries = Object.entries(raw).slice(0, mostMetadata);
  return new Map(entries.map(([key, value]) => [key.slice(0, longestMetadata), inWords(value)]));
}

/** Metadata may be any JSON. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, longestMetadata);
  try {
    return (JSON.stringify(value) ?? '').slice(0, longestMetadata);
  } catch {
    // `JSON.parse` can read thousands of nested levels, but `JSON.stringify` can't write them.
    return '…';
  }
}
