import type { AccountId, SessionId } from '../../core/ids.ts';
import { isListed, type SessionsView } from './sessionsView.ts';

/** A session of an account. */
interface Place {
  readonly account: AccountId;
  readonly session: SessionId;
}

/** A tool's session on this machine, and the cloud session that it controls. */
export interface Pair {
  readonly tool: Place;
  readonly cloud: Place;
}

/**
 * Follows which cloud sessions tools on this machine control, and which of those are only protected because their tool is: they
 * stay protected where that isn't known, such as after a restart, in windows of other machines, and while this machine's browsers
 * aren't shown.
 */
export class ControlledSessions {
  readonly #store: SessionsView;
  readonly #seen = new Set<string>();
  readonly #protected = new Map<string, Pair>();

  constructor(store: SessionsView) {
    this.#store = store;
  }

  /** The pairs of a cloud account that are seen for the first time. Later, the user may have unprotected the session there. */
  begun(account: AccountId): readonly Pair[] {
    const all = [...this.#store.links.controlledIn(account)].flatMap((session) => this.#pairsOf({ account, session }));
    return all.filter((pair) => !this.#seen.has(keyOf(pair)) && this.#seen.add(keyOf(pair)));
  }

  /** Notes that a cloud session was protected because its tool is. */
  note(pairs: readonly Pair[]): void {
    for (const pair of pairs) this.#protected.set(keyOf(pair), pair);
  }

  /** Forgets that about sessions that the user has protected or unprotected. */
  forget(account: AccountId, sessions: readonly SessionId[]): void {
    for (const [key, { cloud }] of this.#protected)
      if (cloud.account === account && sessions.includes(cloud.session)) this.#protected.delete(key);
  }

  /** Forgets it about all sessions: the user may have protected any of them since. */
  forgetAll(): void {
    this.#protected.clear();
  }

  /** A cloud session with each tool that controls it. */
  #pairsOf(cloud: Place): readonly Pair[] {
    return this.#store.links.controllersOf(cloud.account, cloud.session).map(({ accountId, session: { id } }) => {
      return { tool: { account: accountId, session: id }, cloud };
    });
  }

  /**
   * The pairs that were noted, and whose tools have gone on to another session or ended. Returned once, and {@link begun} has them
   * again if they come back. A tool that doesn't say which session it controls may still control that one. Pairs whose cloud session
   * another protected tool controls are left out.
   */
  left(account: AccountId, isProtected: (tool: Place) => boolean): readonly Pair[] {
    if (!isListed(this.#store.state(account))) return [];
    const tools = this.#store.known(account);
    return [...this.#protected].flatMap(([key, pair]) => {
      const { tool, cloud } = pair;
      const its = tools.get(tool.session);
      const mayControl = its !== undefined && (its.drives === undefined || its.drives.id === cloud.session);
      if (tool.account !== account || mayControl) return [];
      this.#protected.delete(key);
      this.#seen.delete(key);
      this.note(this.#pairsOf(cloud).filter((other) => isProtected(other.tool)));
      const hasAnother = [...this.#protected.values()].some((other) => isSamePlace(other.cloud, cloud));
      return hasAnother ? [] : [pair];
    });
  }
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.account === b.account && a.session === b.session;
}

function keyOf({ tool, cloud }: Pair): string {
  return [tool.account, tool.session, cloud.account, cloud.session].join('\n');
}
