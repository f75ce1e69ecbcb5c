import * as v from 'valibot';
import { type Disposable, Emitter, type Event } from '../core/event.ts';
import type { AccountId, SessionId } from '../core/ids.ts';
import { same } from '../core/same.ts';
import { type Fate, hostOf } from '../core/session.ts';
import type { Memory } from '../core/vault.ts';
import type { Accounts } from './accounts.ts';
import type { SessionStore } from './sessionStore.ts';

const memoryKey = 'endedSessions';
const mostKept = 100;
/** Sessions often end together: the first is written down at once, those that follow so soon together. */
const togetherMs = 500;

const EndedSession = v.object({
  accountId: v.string(),
  /** What the account was called. */
  account: v.string(),
  sessionId: v.string(),
  /** What the vendor called it; clean it before showing. */
  name: v.optional(v.string()),
  /** When it started, or was first seen, in epoch milliseconds. */
  startedAt: v.number(),
  startIsExact: v.boolean(),
  /** When it was seen to be gone, in epoch milliseconds. */
  endedAt: v.number(),
  /**
   * `you` where its end was asked for here; `timedOut` and `failed` where the vendor says so; `elsewhere` for any other end,
   * by itself or by somebody else.
   */
  by: v.picklist(['you', 'elsewhere', 'timedOut', 'failed']),
});
/** A session that was listed and is not any longer. Holds no secret and no address; commands take it for a target. */
export type EndedSession = v.InferOutput<typeof EndedSession>;

/** The sessions that ended last, the newest first; kept across restarts. */
export class History implements Disposable {
  readonly #memory: Memory;
  readonly #subscriptions: readonly Disposable[];
  readonly #changed = new Emitter<void>();
  #ended: readonly EndedSession[];
  #together: ReturnType<typeof setTimeout> | undefined;
  #written: readonly EndedSession[] = [];

  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(memory: Memory, store: SessionStore, accounts: Accounts, now: () => number) {
    this.#memory = memory;
    const kept = v.safeParse(v.array(EndedSession), memory.get(memoryKey) ?? []);
    this.#ended = kept.success ? kept.output : [];
    this.#subscriptions = [
      store.onDidLeave(({ accountId: account, session, start, byYou }) => {
        this.#put({
          accountId: account,
          account: accounts.get(account)?.label ?? '',
          sessionId: session.id,
          name: session.name ?? hostOf(session),
          startedAt: start.at,
          startIsExact: start.exact,
          endedAt: now(),
          by: byYou ? 'you' : 'elsewhere',
        });
      }),
      // A list that left a running session out by mistake.
      store.onDidChange((change) => {
        if (change.kind !== 'account' || !change.membership) return;
        const sessions = store.state(change.accountId)?.contents.sessions;
        const isBack = ({ accountId: account, sessionId: id, startedAt, startIsExact }: EndedSession) => {
          const listed = account === change.accountId ? sessions?.get(id as SessionId) : undefined;
          return listed !== undefined && (!startIsExact || listed.startedAt === startedAt);
        };
        if (this.#ended.some(isBack)) this.#set(this.#ended.filter((ended) => !isBack(ended)));
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    if (this.#together === undefined) return;
    clearTimeout(this.#together);
    void this.#memory.update(memoryKey, this.#ended);
  }

  get all(): readonly EndedSession[] {
    return this.#ended;
  }

  /** What is known of a session that has ended, if it is among the last. */
  find(account: AccountId, session: SessionId): EndedSession | undefined {
    return this.#ended.find(({ accountId: its, sessionId: id }) => its === account && id === session);
  }

  /** Takes over what the vendor says of an end that was seen here. */
  learn(account: AccountId, session: SessionId, { how, endedAt }: Fate): void {
    const known = this.find(account, session);
    if (known === undefined) return;
    const learned = {
      ...known,
      by: known.by === 'elsewhere' && how !== 'completed' ? how : known.by,
      // It was seen to be gone no sooner than it was.
      endedAt: endedAt !== undefined && endedAt >= known.startedAt ? Math.min(endedAt, known.endedAt) : known.endedAt,
    };
    if (!same(known, learned)) this.#set(this.#ended.map((ended) => (ended === known ? learned : ended)));
  }

  clear(): void {
    this.#set([]);
  }

  #put(ended: EndedSession): void {
    const others = this.#ended.filter(
      ({ accountId: account, sessionId: id }) => account !== ended.accountId || id !== ended.sessionId,
    );
    this.#set([ended, ...others].slice(0, mostKept));
  }

  #set(ended: readonly EndedSession[]): void {
    this.#ended = ended;
    this.#changed.fire();
    if (this.#together === undefined) this.#write();
  }

  #write(): void {
    this.#written = this.#ended;
    void this.#memory.update(memoryKey, this.#written);
    this.#together = setTimeout(() => {
      this.#together = undefined;
      if (this.#written !== this.#ended) this.#write();
    }, togetherMs);
  }
}
