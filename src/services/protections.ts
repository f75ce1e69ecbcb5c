import * as v from 'valibot';
import { Emitter, type Event } from '../core/event.ts';
import { type AccountId, accountId, type SessionId } from '../core/ids.ts';
import type { Memory } from '../core/vault.ts';

const memoryKey = 'protectedSessions';
const Kept = v.record(v.string(), v.array(v.string()));
/** Sessions end, and their ids stay behind: only so many of an account's are kept, the newest. */
const mostKept = 500;

/** The sessions that ends of many leave alone because the person said so, by account; kept across restarts. */
export class Protections {
  readonly #memory: Memory;
  readonly #kept: Map<AccountId, Set<string>>;
  readonly #changed = new Emitter<AccountId>();

  /** Fires with the account of sessions that were protected, or are not any longer. */
  readonly onDidChange: Event<AccountId> = this.#changed.event;

  constructor(memory: Memory) {
    this.#memory = memory;
    const kept = v.safeParse(Kept, memory.get(memoryKey) ?? {});
    this.#kept = new Map(
      Object.entries(kept.success ? kept.output : {}).map(([id, ids]) => [accountId(id), new Set(ids)]),
    );
  }

  has(account: AccountId, session: SessionId): boolean {
    return this.#kept.get(account)?.has(session) === true;
  }

  async set(account: AccountId, sessions: readonly SessionId[], isProtected: boolean): Promise<void> {
    const ids = this.#kept.get(account) ?? new Set();
    for (const id of sessions) {
      ids.delete(id);
      if (isProtected) ids.add(id);
    }
    this.#kept.set(account, new Set([...ids].slice(-mostKept)));
    this.#changed.fire(account);
    const entries = [...this.#kept].filter(([, its]) => its.size > 0).map(([id, its]) => [id, [...its]] as const);
    await this.#memory.update(memoryKey, Object.fromEntries(entries));
  }
}
