import type { AccountId, SessionId } from '../../core/ids.ts';
import { same } from '../../core/same.ts';
import type { Session } from '../../core/session.ts';
import { translatable } from '../../core/translatable.ts';
import type { AccountState, Controller, LinkedSessions } from './sessionsView.ts';

/** Browsers that another account shows, and the port of this machine at which each listens; see `Inventory.shownElsewhere`. */
type Ports = ReadonlyMap<SessionId, number | undefined>;

type Sessions = ReadonlyMap<SessionId, Session>;

interface Links {
  /** Sessions that are shown under another account instead. */
  readonly hidden: ReadonlyMap<AccountId, ReadonlySet<SessionId>>;
  /** By the controlled session, in each account that lists it. */
  readonly controllers: ReadonlyMap<AccountId, ReadonlyMap<SessionId, readonly Controller[]>>;
}

const noLinks: Links = { hidden: new Map(), controllers: new Map() };

/**
 * Finds sessions that are the same browser: one at a cloud provider, and the one on this machine that controls it. They are
 * shown once, under the cloud's account, as long as one of the user's accounts lists it.
 */
export class SessionLinks implements LinkedSessions {
  readonly #providerOf: (account: AccountId) => string | undefined;
  /** The sessions of each account that control another one. */
  readonly #driving = new Map<AccountId, readonly Session[]>();
  #links = noLinks;
  #shown = new WeakMap<AccountState, AccountState>();
  readonly #ports = new Map<AccountId, Ports>();

  constructor(providerOf: (account: AccountId) => string | undefined) {
    this.#providerOf = providerOf;
  }

  /**
   * Updates the links after the sessions of an account have changed.
   * @param all the sessions of every account.
   * @returns the accounts that are now shown differently.
   */
  follow(account: AccountId, all: ReadonlyMap<AccountId, Sessions>): readonly AccountId[] {
    const driving = [...(all.get(account)?.values() ?? [])].filter(({ drives }) => drives !== undefined);
    if (driving.length > 0) this.#driving.set(account, driving);
    else this.#driving.delete(account);
    if (this.#driving.size === 0 && this.#links === noLinks) return [];
    const before = this.#links;
    const links = this.#driving.size === 0 ? noLinks : this.#find(all);
    if (same(comparable(before), comparable(links))) return [];
    this.#links = links;
    this.#shown = new WeakMap();
    const parts = [before.hidden, links.hidden, before.controllers, links.controllers];
    return [...new Set(parts.flatMap((part) => [...part.keys()]))].filter(
      (id) =>
        !same([...(before.hidden.get(id) ?? [])], [...(links.hidden.get(id) ?? [])]) ||
        !same(before.controllers.get(id), links.controllers.get(id)),
    );
  }

  isHidden(account: AccountId, session: SessionId): boolean {
    return this.#links.hidden.get(account)?.has(session) === true;
  }

  controlledIn(account: AccountId): Iterable<SessionId> {
    return this.#links.controllers.get(account)?.keys() ?? [];
  }

  controllersOf(account: AccountId, session: SessionId): readonly Controller[] {
    return this.#links.controllers.get(account)?.get(session) ?? [];
  }

  notePorts(account: AccountId, ports: Ports): void {
    this.#ports.set(account, ports);
  }

  atPort(port: string): readonly (readonly [AccountId, SessionId])[] {
    return [...this.#ports].flatMap(([account, ports]) =>
      [...ports].flatMap(([id, its]) => (String(its) === port ? [[account, id] as const] : [])),
    );
  }

  /** An account's state as it's shown; the same object if nothing is linked. */
  shown(account: AccountId, state: AccountState): AccountState {
    const [hidden, controllers] = [this.#links.hidden.get(account), this.#links.controllers.get(account)];
    if (hidden === undefined && controllers === undefined) return state;
    const known = this.#shown.get(state);
    if (known !== undefined) return known;
    const sessions = new Map<SessionId, Session>();
    for (const [id, session] of state.contents.sessions) {
      const [controller] = controllers?.get(id) ?? [];
      if (hidden?.has(id) !== true)
        sessions.set(id, controller === undefined ? session : withController(session, controller));
    }
    const shown = { ...state, contents: { ...state.contents, sessions } };
    this.#shown.set(state, shown);
    return shown;
  }

  #find(all: ReadonlyMap<AccountId, Sessions>): Links {
    const hidden = new Map<AccountId, Set<SessionId>>();
    const controllers = new Map<AccountId, Map<SessionId, readonly Controller[]>>();
    for (const [accountId, driving] of this.#driving) {
      for (const session of driving) {
        for (const [target, listed] of all) {
          if (target === accountId || session.drives === undefined || !this.#lists(target, listed, session)) continue;
          hidden.set(accountId, (hidden.get(accountId) ?? new Set()).add(session.id));
          const its = controllers.get(target) ?? new Map<SessionId, readonly Controller[]>();
          const { id } = session.drives;
          controllers.set(target, its.set(id, [...(its.get(id) ?? []), { accountId, session }]));
        }
      }
    }
    return { hidden, controllers };
  }

  #lists(account: AccountId, sessions: Sessions, { drives }: Session): boolean {
    return drives !== undefined && this.#providerOf(account) === drives.provider && sessions.has(drives.id);
  }
}

/** Has lists instead of sets, so that links can be compared. */
function comparable({ hidden, controllers }: Links): unknown {
  return [new Map([...hidden].map(([id, its]) => [id, [...its]])), controllers];
}

/** A session with what is known about the tool on this machine that controls it. */
function withController(session: Session, { session: local }: Controller): Session {
  const tool = local.metadata.get('tool');
  const names = [tool, local.name].filter((name) => name !== undefined && name !== '');
  return {
    ...session,
    inUseBy: session.inUseBy ?? local.inUseBy ?? tool ?? local.name,
    facts: [...session.facts, [translatable('Used on this machine by'), [...new Set(names)].join(' · ')]],
  };
}
