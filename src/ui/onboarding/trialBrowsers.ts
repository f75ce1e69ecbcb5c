import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { type AccountId, accountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import type { StartedBrowser, ThisMachine } from '../../core/thisMachine.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import { storedRows } from '../../services/storedRows.ts';

/** What is stored of each, so that another window can clean up if this one can't. */
const Record = v.object({
  /** Missing while the browser is being started. */
  account: v.optional(v.string()),
  /** When it began to be started, in epoch milliseconds. */
  beganAt: v.optional(v.number()),
  profile: v.string(),
  /** The machine it was started on; see `Accounts.machine`. Local and remote windows share what is stored. */
  machine: v.optional(v.string()),
});
type Record = v.InferOutput<typeof Record>;
/** The key under which trial browsers are stored. */
const memoryKey = 'trialBrowsers';
/** A little longer than a browser may take to start, in milliseconds. */
const startsWithinMs = 25_000;
const looks = 5;
const betweenLooksMs = 1_000;

/** What keeping trial browsers needs. */
export interface TrialParts {
  readonly accounts: Accounts;
  readonly memory: Memory;
}

function recordsIn(memory: Memory): readonly Record[] {
  return storedRows(Record, memory.get(memoryKey));
}

/** Whether there is a trial browser of any window that wasn't cleaned up. */
export function hasTrialBrowsers(memory: Memory): boolean {
  return recordsIn(memory).length > 0;
}

/** Remembers the profile of a trial browser that is about to be started. */
export async function keepProfile(parts: TrialParts, profile: string): Promise<void> {
  await keep(parts, { profile, beganAt: Date.now() });
}

/** Remembers that an account belongs to a trial browser until the browser exits, when the account is removed. */
export async function keepTrial(
  parts: TrialParts,
  account: AccountId,
  { profile, exited }: StartedBrowser,
): Promise<void> {
  const record = await keep(parts, { account, profile });
  void exited.then(() => forget(parts, record));
}

/** Forgets the profile of a trial browser that has exited. */
export async function forgetProfile(parts: TrialParts, profile: string): Promise<void> {
  await forget(parts, { profile, machine: parts.accounts.machine });
}

async function keep({ accounts: { machine }, memory }: TrialParts, about: Omit<Record, 'machine'>): Promise<Record> {
  const record = { ...about, ...(machine !== undefined && { machine }) };
  const others = recordsIn(memory).filter((one) => one.profile !== about.profile || one.machine !== machine);
  await memory.update(memoryKey, [...others, record]);
  return record;
}

/** Removes the accounts and profiles of trial browsers that exited on this machine together with their window. */
export async function removeLeftTrials(parts: TrialParts, machine: ThisMachine): Promise<void> {
  const own = recordsIn(parts.memory).filter(({ machine: its }) => its === parts.accounts.machine);
  for (const record of own) {
    // Its window may still be starting it.
    if (record.account === undefined && record.beganAt !== undefined) {
      await sleep(Math.min(startsWithinMs, Math.max(0, record.beganAt + startsWithinMs - Date.now())));
    }
    // After a reload it may still be exiting. One that keeps running belongs to another window.
    let isRunning = true;
    for (let look = 0; look < looks && isRunning; look++) {
      if (look > 0) await sleep(betweenLooksMs);
      isRunning = await machine.isRunning(record.profile);
    }
    if (isRunning) continue;
    // Its account may have been added since.
    const latest = recordsIn(parts.memory).find(({ profile }) => profile === record.profile) ?? record;
    await forget(parts, latest);
    await machine.removeProfile(record.profile);
  }
}

async function forget({ accounts, memory }: TrialParts, { account, profile, machine }: Record): Promise<void> {
  const id = account === undefined ? undefined : accountId(account);
  if (id !== undefined && accounts.get(id) !== undefined) await accounts.remove(id);
  const others = recordsIn(memory).filter((record) => record.profile !== profile || record.machine !== machine);
  await memory.update(memoryKey, others);
}
