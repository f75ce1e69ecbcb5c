import { Emitter, type Event } from '../core/event.ts';
import type { AccountId, SessionId } from '../core/ids.ts';
import { plainText } from '../core/plainText.ts';
import type { Session } from '../core/session.ts';
import { bestName } from '../core/sessionName.ts';
import type { AccountSession, ShownName } from '../services/ending/report.ts';
import { knownPages, type SessionsView, type StoreChange } from '../services/sessions/sessionsView.ts';
import { sessionName, shortId } from './text/names.ts';

/** Longest part of a name in front of a short id, in characters: both fit into a side bar of 240 pixels. */
const longestBeforeId = 11;
/** What separates a page's title and host. */
const separator = ' · ';
/** A label that ends like one with a short id, which a page may have chosen to look like another session's row. */
const endsLikeId = /[·(]\s*([^\s)]+)\)?$/u;

const computedIds = new WeakMap<ReadonlyMap<SessionId, unknown>, ReadonlyMap<SessionId, string>>();

/**
 * A short id for each session, different from all others: its first eight characters, else its last eight behind an
 * ellipsis, else the whole id. Takes linear time, once per map.
 */
export function shortIds(sessions: ReadonlyMap<SessionId, unknown>): ReadonlyMap<SessionId, string> {
  const known = computedIds.get(sessions);
  if (known !== undefined) return known;
  const found = new Map<SessionId, string>();
  let left = [...sessions.keys()];
  for (const shorten of [shortId, lastOfId, wholeId, encodeURIComponent]) {
    const together = Map.groupBy(left, shorten);
    left = [];
    for (const [short, ids] of together) {
      const [only] = ids;
      if (ids.length === 1 && only !== undefined && short !== '') found.set(only, short);
      else left.push(...ids);
    }
  }
  computedIds.set(sessions, found);
  return found;
}

function lastOfId(id: SessionId): string {
  return `…${plainText(id, 256).slice(-8)}`;
}

function wholeId(id: SessionId): string {
  return plainText(id, 256);
}

/** A session's name and short id, as they are now. */
export function shownName(store: SessionsView, accountId: AccountId, session: Session): ShownName {
  const sessions = store.state(accountId)?.contents.sessions;
  return {
    name: sessionName(session, knownPages(store, accountId, session.id)),
    shortId: (sessions && shortIds(sessions).get(session.id)) ?? shortId(session.id),
  };
}

/** The same sessions with what they are called now, unless that was set before. */
export function withNames(store: SessionsView, sessions: readonly AccountSession[]): readonly AccountSession[] {
  return sessions.map((target) => ({
    ...target,
    shownAs: target.shownAs ?? shownName(store, target.accountId, target.session),
  }));
}

/** The names in one account. */
interface AccountNames {
  readonly names: Map<SessionId, string>;
  readonly byName: Map<string, Set<SessionId>>;
  readonly ids: ReadonlyMap<SessionId, string>;
  readonly allIds: ReadonlySet<string>;
}

/**
 * The labels of sessions' rows: their names, with a short id where several sessions of an account have the same name. Kept
 * between changes, so that drawing a row takes the same time however many sessions there are.
 */
export class SessionNames {
  readonly #store: SessionsView;
  readonly #accounts = new Map<AccountId, AccountNames>();
  readonly #changed = new Emitter<StoreChange>();
  readonly #subscription: { dispose(): void };

  /** The store's changes, each with the sessions whose label changed because of another session's. */
  readonly onDidChange: Event<StoreChange> = this.#changed.event;

  constructor(store: SessionsView) {
    this.#store = store;
    this.#subscription = store.onDidChange((change) => this.#changed.fire(this.#follow(change)));
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /** The label of a listed session's row. If it has a short id, only the beginning of the name fits. */
  label(accountId: AccountId, { id }: Session): string {
    const { names, byName, ids, allIds } = this.#of(accountId);
    const short = ids.get(id) ?? shortId(id);
    const name = names.get(id) ?? short;
    if (name === short) return name;
    const isShared = (byName.get(name)?.size ?? 0) > 1 || allIds.has(name);
    const isLikeAnother = allIds.has(endsLikeId.exec(name)?.[1] ?? '');
    if (!isShared && !isLikeAnother) return name;
    const [title = ''] = name.split(separator);
    return [plainText(title, longestBeforeId), short].join(separator);
  }

  #of(accountId: AccountId): AccountNames {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const sessions = this.#store.state(accountId)?.contents.sessions ?? new Map<SessionId, Session>();
    const ids = shortIds(sessions);
    const made = { names: new Map(), byName: new Map(), ids, allIds: new Set(ids.values()) };
    this.#accounts.set(accountId, made);
    for (const session of sessions.values()) add(made, session.id, this.#nameOf(accountId, session, ids));
    return made;
  }

  #nameOf(accountId: AccountId, session: Session, ids: AccountNames['ids']): string {
    const { text } = bestName(session, knownPages(this.#store, accountId, session.id));
    return text || (ids.get(session.id) ?? shortId(session.id));
  }

  #follow(change: StoreChange): StoreChange {
    if (change.kind === 'accounts') {
      this.#accounts.clear();
      return change;
    }
    const { accountId, membership, sessions } = change;
    const known = this.#accounts.get(accountId);
    if (membership) this.#accounts.delete(accountId);
    if (membership || known === undefined) return change;
    const relabeled = new Set(sessions);
    for (const id of sessions) {
      const session = this.#store.session(accountId, id);
      const before = known.names.get(id);
      const name = session && this.#nameOf(accountId, session, known.ids);
      if (name === undefined || name === before) continue;
      const others = known.byName.get(before ?? '');
      others?.delete(id);
      if (others?.size === 1) for (const other of others) relabeled.add(other);
      if (others?.size === 0) known.byName.delete(before ?? '');
      const together = add(known, id, name);
      if (together.size === 2) for (const other of together) relabeled.add(other);
    }
    return { ...change, sessions: [...relabeled] };
  }
}

/** @returns all sessions that have this name. */
function add({ names, byName }: AccountNames, id: SessionId, name: string): ReadonlySet<SessionId> {
  names.set(id, name);
  const together = byName.get(name) ?? new Set();
  byName.set(name, together.add(id));
  return together;
}
