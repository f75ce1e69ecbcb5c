import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { type AccountId, accountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import type { StartedBrowser, ThisMachine } from '../../core/thisMachine.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import { storedRows } from '../../services/storedRows.ts';

/** What is stored of each, so that another window can clean up if this one can't. */
const Record = v.object({
  account: v.string(),
  profile: v.string(),
  /** The machine it was started on; see `Accounts.machine`. Local and remote windows share what is stored. */
  machine: v.optional(v.string()),
});
type Record = v.InferOutput<typeof Record>;
/** The key under which trial browsers are stored. */
const memoryKey = 'trialBrowsers';
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

/** Remembers that an account belongs to a trial browser until the browser exits, when the account is removed. */
export async function keepTrial({ accounts, memory }: TrialParts, account: AccountId, browser: StartedBrowser) {
  const { machine } = accounts;
  const record: Record = { account, profile: browser.profile, ...(machine !== undefined && { machine }) };
  await memory.update(memoryKey, [...recordsIn(memory), record]);
  void browser.exited.then(() => forget({ accounts, memory }, record));
}

/** Removes the accounts and profiles of trial browsers that exited on this machine together with their window. */
export async function removeLeftTrials(parts: TrialParts, machine: ThisMachine): Promise<void> {
  for (const record of recordsIn(parts.memory).filter(({ machine: its }) => its === parts.accounts.machine)) {
    // After a reload it may still be exiting. One that keeps running belongs to another window.
    let isRunning = true;
    for (let look = 0; look < looks && isRunning; look++) {
      if (look > 0) await sleep(betweenLooksMs);
      isRunning = await machine.isRunning(record.profile);
    }
    if (isRunning) continue;
    await forget(parts, record);
    await machine.removeProfile(record.profile);
  }
}

async function forget({ accounts, memory }: TrialParts, { account, profile, machine }: Record): Promise<void> {
  const id = accountId(account);
  if (accounts.get(id) !== undefined) await accounts.remove(id);
  const others = recordsIn(memory).filter((record) => record.profile !== profile || record.machine !== machine);
  await memory.update(memoryKey, others);
}
