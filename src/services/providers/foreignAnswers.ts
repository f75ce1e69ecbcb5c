import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { Group, GroupDeletion } from '../../core/group.ts';
import { groupId, idFault, pageId, type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import { type LiveView, liveViewUrl, recordingUrl } from '../../core/liveView.ts';
import { mostPages, type Page } from '../../core/page.ts';
import { type EndAnswer, type EndingTerms, type Liveness, type Screenshot, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { EndCause, Session } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import { sessionLimitOf, type Usage, usageOf } from '../../core/usage.ts';
import { mostTexts } from '../sessions/listBounds.ts';
import { deepFreeze } from './foreignKind.ts';

// Answers of other extensions' code are read as strictly as those of a server: copied, checked and frozen. Optional
// fields have a default, so that new fields don't break providers written before.

/** A number that is neither NaN nor infinite. */
export const number = v.pipe(v.number(), v.finite());
const maybeText = v.nullish(v.string());
const maybeNumber = v.nullish(number);
/** Later times, in epoch milliseconds, are mistakes. Those beyond the limits of `Date` can't even be written. */
const latest = Date.UTC(2200, 0, 1);
/** A time in epoch milliseconds, or none; undefined for one that is certainly a mistake. */
export const maybeTime = v.nullish(
  v.pipe(
    number,
    v.transform((at) => (at >= 0 && at <= latest ? at : undefined)),
  ),
);
const id = v.pipe(
  v.string(),
  v.check((raw) => idFault(raw) === undefined),
);

/** Reads only the first elements of an array: checking a huge one would block the extension host. */
function firstOf<Row>(most: number, schema: v.GenericSchema<unknown, Row>) {
  return v.pipe(
    v.custom<readonly unknown[]>(Array.isArray),
    v.transform((rows) => Array.from({ length: Math.min(rows.length, most) }, (_, at) => rows[at])),
    v.array(schema),
  );
}

const texts = v.fallback(firstOf(mostTexts, v.string()), []);
const RawPage = v.object({ id, title: v.fallback(v.string(), ''), url: v.fallback(v.string(), '') });
const RawPages = firstOf(mostPages, RawPage);

const figure = v.optional(v.unknown());
const RawUsage = v.object({
  unit: v.picklist(['credits', 'minutes', 'proxyBytes']),
  used: v.unknown(),
  included: figure,
  limit: figure,
  left: figure,
});

const RawSession = v.object({
  id,
  name: maybeText,
  host: maybeText,
  phase: v.fallback(v.optional(v.picklist(['starting', 'running', 'idle', 'ending', 'unknown']), 'running'), 'unknown'),
  status: maybeText,
  startedAt: maybeTime,
  region: maybeText,
  groupId: v.nullish(id),
  tags: texts,
  metadata: v.optional(v.unknown()),
  traits: texts,
  pages: v.nullish(RawPages),
  canWatch: v.fallback(v.optional(v.boolean(), true), false),
  ends: v.optional(v.picklist(['session', 'connection']), 'session'),
  bulkEndExclusion: maybeText,
  inUseBy: maybeText,
  usage: v.fallback(v.nullish(RawUsage), undefined),
  facts: v.fallback(firstOf(mostTexts, v.pipe(v.array(v.string()), v.maxLength(2))), []),
});

/** Most pages of a session that ends by closing its pages. Reading more could block the extension host. */
const mostEndingPages = 10_000;
/** An end of such a session is done when the pages that were shown are closed, so none may be left out. */
const RawPagesOnly = v.object({
  ...RawSession.entries,
  ends: v.literal('pages'),
  pages: v.nullish(
    v.pipe(
      v.custom<readonly unknown[]>(Array.isArray),
      v.check((pages) => pages.length <= mostEndingPages),
      firstOf(mostEndingPages, RawPage),
    ),
  ),
});
const RawRow = v.lazy((row) => (Reflect.get(Object(row), 'ends') === 'pages' ? RawPagesOnly : RawSession));

const RawGroup = v.object({
  id,
  kind: v.optional(v.picklist(['batch', 'metadata']), 'batch'),
  name: maybeText,
  status: maybeText,
  createdAt: maybeTime,
  canCancel: v.fallback(v.optional(v.boolean()), undefined),
  counts: v.fallback(v.optional(v.object({ total: number, failed: number })), undefined),
});

const RawFault = v.object({ subject: v.string(), what: v.string(), unnamed: v.optional(v.boolean()) });
/** Most figures of an account; there are fewer units. */
const mostFigures = 10;
const RawFacts = v.object({
  identity: maybeText,
  sessionLimit: v.optional(v.unknown()),
  usage: v.fallback(v.nullish(v.array(v.unknown())), undefined),
  note: maybeText,
});
const RawInventory = v.object({
  sessions: v.array(v.unknown()),
  groups: v.nullish(v.array(v.unknown()), []),
  faults: v.nullish(v.array(RawFault), []),
  account: v.nullish(RawFacts),
  counted: maybeNumber,
});
const RawEnd = v.object({ outcome: v.picklist(['ended', 'alreadyGone', 'accepted']), how: maybeText });
const RawDeletion = v.object({
  deleted: number,
  failed: number,
  failures: v.array(v.object({ sessionId: v.string(), reason: v.string() })),
  message: maybeText,
});
const RawView = v.object({
  url: v.unknown(),
  sandbox: v.pipe(v.string(), v.maxLength(500)),
  allow: v.optional(v.pipe(v.string(), v.maxLength(500)), ''),
  fixedMode: v.boolean(),
  singleUse: v.optional(v.picklist(['yes', 'no', 'unknown']), 'unknown'),
  disconnectMessage: maybeText,
  expiresInMs: maybeNumber,
});
const RawPicture = v.object({ bytes: v.unknown(), type: v.picklist(['image/png', 'image/jpeg']) });
const RawFate = v.object({ how: v.picklist(['completed', 'timedOut', 'failed']), endedAt: maybeTime });
const RawLiveness = v.fallback(v.picklist(['running', 'gone', 'notFound', 'unknown']), 'unknown');
const RawTerms = v.object({
  lists: v.optional(v.picklist(['complete', 'partial', 'lagging', 'unreliable']), usualEnding.lists),
  mostInFlight: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(256))),
  withinMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(600_000)), usualEnding.withinMs),
});

/** Most metadata of a session that is read. Less is shown. */
const mostPairs = 100;

/**
 * Reads one page of a list. A row that breaks the contract becomes a fault, so that it doesn't hide the others. Takes as many
 * turns as needed: nothing limits how many rows a page has, or how much is in them.
 */
export async function inventoryOf(raw: unknown): Promise<Inventory> {
  const { sessions, groups, faults, account, counted } = read(RawInventory, raw, 'list');
  const turns = new Turns();
  const ownFaults: ListFault[] = faults.map(({ subject, what, unnamed }) => ({
    subject,
    what,
    ...(unnamed === undefined ? {} : { unnamed }),
  }));
  const readSessions: Session[] = [];
  for (const [index, row] of sessions.entries()) {
    if (turns.isOver) await turns.pass();
    const one = readRow(RawRow, row, index, sessionOf);
    if ('what' in one) ownFaults.push(one);
    else readSessions.push(deepFreeze(one));
  }
  const readGroups: Group[] = [];
  for (const [index, row] of groups.entries()) {
    if (turns.isOver) await turns.pass();
    const one = readRow(RawGroup, row, index, groupOf);
    // About a group, not about sessions.
    if ('what' in one) ownFaults.push({ subject: `Groups: ${one.subject}`, what: one.what });
    else readGroups.push(deepFreeze(one));
  }
  return Object.freeze({
    sessions: Object.freeze(readSessions),
    groups: Object.freeze(readGroups),
    faults: Object.freeze(ownFaults),
    account: deepFreeze(account === null || account === undefined ? undefined : factsFrom(account)),
    counted: counted ?? undefined,
  });
}

/** Reads a row, or says what is wrong with it. Its code may throw wherever it's read. */
function readRow<Output, Row extends object>(
  schema: v.GenericSchema<unknown, Output>,
  row: unknown,
  index: number,
  make: (output: Output) => Row,
): Row | ListFault {
  try {
    const result = v.safeParse(schema, row);
    return result.success ? make(result.output) : faultOf(row, index, v.getDotPath(result.issues[0]));
  } catch {
    return { subject: `row ${index + 1}`, what: "it can't be read", unnamed: true };
  }
}

/** Reads what a check says about an account. */
export function factsOf(raw: unknown): AccountFacts {
  return deepFreeze(factsFrom(read(RawFacts, raw ?? {}, 'check')));
}

/** Reads the answer to an end. */
export function endOf(raw: unknown): EndAnswer {
  const { outcome, how } = read(RawEnd, raw, 'end');
  return { outcome, how: how ?? undefined };
}

/** Reads whether a session is running. Anything but the four allowed words counts as `unknown`. */
export function livenessOf(raw: unknown): Liveness {
  return v.parse(RawLiveness, raw);
}

/** The same for many sessions. Answers about sessions that weren't asked about are ignored. */
export function livenessOfMany(raw: unknown, asked: readonly Session[]): ReadonlyMap<SessionId, Liveness> {
  if (!(raw instanceof Map)) throw notAsDocumented('probeMany');
  return new Map(asked.flatMap(({ id }) => (raw.has(id) ? [[id, livenessOf(raw.get(id))] as const] : [])));
}

/** Reads what was deleted with a group. */
export function deletionOf(raw: unknown): GroupDeletion {
  const { message, ...counts } = read(RawDeletion, raw, 'deleteGroup');
  return deepFreeze({ ...counts, message: message ?? undefined });
}

/** Reads the pages of a session: as many as are shown. */
export function pagesOf(raw: unknown): readonly Page[] {
  return deepFreeze(read(RawPages, raw, 'pages').map(pageOf));
}

/** Reads a live view. @throws ProviderError for an address that may not be framed. */
export function liveViewOf(raw: unknown): LiveView {
  const { url, disconnectMessage, expiresInMs, ...view } = read(RawView, raw, 'liveView');
  return {
    ...view,
    url: liveViewUrl(String(url), () => true),
    disconnectMessage: disconnectMessage ?? undefined,
    expiresInMs: expiresInMs ?? undefined,
  };
}

/** Reads the address of a page that opens in a browser. @throws ProviderError for one that isn't a web address. */
export function linkOf(raw: unknown): URL {
  return recordingUrl(String(raw));
}

/** Reads a screenshot. */
export function pictureOf(raw: unknown): Screenshot {
  const { bytes, type } = read(RawPicture, raw, 'screenshot');
  if (!(bytes instanceof Uint8Array)) throw notAsDocumented('screenshot');
  return { bytes: bytes.slice(), type };
}

/** Reads how a session ended. */
export function endCauseOf(raw: unknown): EndCause | undefined {
  if (raw === undefined || raw === null) return undefined;
  const { how, endedAt } = read(RawFate, raw, 'endCause');
  return { how, endedAt: endedAt ?? undefined };
}

/** Reads how ending works at the provider; {@link usualEnding} if that can't be read. */
export function termsOf(raw: unknown): EndingTerms {
  const terms = v.safeParse(RawTerms, raw);
  const read = terms.success ? { ...terms.output, mostInFlight: terms.output.mostInFlight } : usualEnding;
  return Object.freeze({ ...read, mayReuseIds: true });
}

function notAsDocumented(member: string): ProviderError {
  const what = `the extension that adds this provider doesn't answer "${member}" as documented`;
  return new ProviderError({ kind: 'unexpectedAnswer', what }, what);
}

function read<Output>(schema: v.GenericSchema<unknown, Output>, raw: unknown, member: string): Output {
  const result = v.safeParse(schema, raw);
  if (result.success) return result.output;
  throw notAsDocumented(member);
}

function faultOf(row: unknown, index: number, path: string | null): ListFault {
  const named: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, 'id') : undefined;
  const what = path === null ? "it isn't as documented" : `its "${path}" isn't as documented`;
  return idFault(named) === undefined
    ? { subject: String(named), what }
    : { subject: `row ${index + 1}`, what, unnamed: true };
}

function sessionOf(raw: v.InferOutput<typeof RawRow>): Session {
  return {
    id: sessionId(raw.id),
    name: raw.name ?? undefined,
    host: raw.host ?? undefined,
    phase: raw.phase,
    status: raw.status ?? undefined,
    startedAt: raw.startedAt ?? undefined,
    region: raw.region ?? undefined,
    groupId: raw.groupId === null || raw.groupId === undefined ? undefined : groupId(raw.groupId),
    tags: raw.tags,
    metadata: metadataOf(raw.metadata),
    traits: raw.traits,
    pages: raw.pages?.map(pageOf),
    canWatch: raw.canWatch,
    ends: raw.ends,
    bulkEndExclusion: raw.bulkEndExclusion ?? undefined,
    usage: usageFrom(raw.usage),
    facts: raw.facts.map(([label = '', value = '']) => [label, value] as const),
    inUseBy: raw.inUseBy ?? undefined,
    local: undefined,
  };
}

/** The metadata of a session: a Map or an object. More pairs than are shown aren't read. */
function metadataOf(raw: unknown): ReadonlyMap<string, string> {
  if (typeof raw !== 'object' || raw === null) return new Map();
  const isMap = raw instanceof Map;
  const keys: Iterable<unknown> = isMap ? Map.prototype.keys.call(raw) : Object.keys(raw);
  const pairs = new Map<string, string>();
  for (const key of keys) {
    if (pairs.size >= mostPairs) break;
    const value: unknown = isMap ? Map.prototype.get.call(raw, key) : Reflect.get(raw, String(key));
    if (typeof key === 'string' && typeof value === 'string') pairs.set(key, value);
  }
  return pairs;
}

function pageOf({ id: its, title, url }: v.InferOutput<typeof RawPage>): Page {
  return { id: pageId(its), title, url };
}

function groupOf({ id: its, kind, name, status, createdAt, ...more }: v.InferOutput<typeof RawGroup>): Group {
  return {
    id: groupId(its),
    kind,
    name: name ?? undefined,
    status: status ?? undefined,
    createdAt: createdAt ?? undefined,
    ...more,
  };
}

function factsFrom({ identity, sessionLimit, usage, note }: v.InferOutput<typeof RawFacts>): AccountFacts {
  const figures = (usage ?? []).slice(0, mostFigures).flatMap((raw) => {
    const read = v.safeParse(RawUsage, raw);
    return (read.success ? usageFrom(read.output) : undefined) ?? [];
  });
  return {
    identity: identity ?? undefined,
    sessionLimit: sessionLimitOf(sessionLimit),
    ...(figures.length === 0 ? {} : { usage: figures }),
    note: note ?? undefined,
  };
}

function usageFrom(raw: v.InferOutput<typeof RawUsage> | null | undefined): Usage | undefined {
  return raw === null || raw === undefined ? undefined : usageOf(raw.unit, raw);
}
