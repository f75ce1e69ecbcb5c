import { existsSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import type { Account } from '../../src/core/account.ts';
import { accountId } from '../../src/core/ids.ts';
import type { Session } from '../../src/core/session.ts';
import type { TestingApi } from '../../src/extension.ts';
import { SessionStore } from '../../src/services/sessions/sessionStore.ts';
import { SessionNames } from '../../src/ui/sessionNames.ts';
import { rowsAtOnce } from '../../src/ui/tree/children.ts';
import { LostPages } from '../../src/ui/tree/lostPages.ts';
import { TreeNodes } from '../../src/ui/tree/nodes.ts';
import { SessionsTree } from '../../src/ui/tree/sessionsTree.ts';
import { command, User } from '../integration/inside.ts';
import { arranged, keepingOnly, noFilter, someSession } from '../unit/sessions.ts';
import { median } from './figures.ts';

/** What redraws of the tree cost. */
export interface Redraw {
  /** The most rows that one of them drew. */
  readonly items: number;
  /** The median CPU time of the extension host's main thread. */
  readonly cpuMs: number;
}

/** What the extension host measured. */
export interface ListFigures {
  /** Bytes that remain in use after collecting garbage, and of the whole process. */
  readonly heap: number;
  readonly resident: number;
  readonly one?: Redraw;
  readonly root?: Redraw;
}

const env = (name: string) => process.env[`BROWSER_SESSIONS_BENCH_${name}`] ?? '';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs inside the extension host. Ends when the bench outside, which measures painting, has written the file `DONE`. */
export async function run(): Promise<void> {
  const accounts = Number(env('ACCOUNTS'));
  if (accounts > 0) await showAccounts(accounts);
  await pause(3_000);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  const redraws = accounts > 0 ? {} : await redrawnTree();
  await writeFile(env('OUTCOME'), JSON.stringify({ heap: heapUsed, resident: rss, ...redraws } satisfies ListFigures));
  // The bench outside asks for a new order before each look at what is painted, so that rows are fetched again.
  let order = 'sortByOldest';
  for (const deadline = Date.now() + 180_000; !existsSync(env('DONE')) && Date.now() < deadline; await pause(50)) {
    if (!existsSync(env('AGAIN'))) continue;
    await command(order);
    order = order === 'sortByOldest' ? 'sortByNewest' : 'sortByOldest';
    await unlink(env('AGAIN'));
  }
}

/** Adds the accounts, shows the view, and waits until all of their sessions are listed. */
async function showAccounts(count: number): Promise<void> {
  const found = vscode.extensions.getExtension<TestingApi>('browser-sessions.browser-sessions');
  if (found === undefined) throw new Error('The extension is not installed.');
  const api = await found.activate();
  await vscode.commands.executeCommand('browserSessions.sessions.focus');
  const user = new User();
  api.testing.prompts = user;
  for (let index = 0; index < count; index++) {
    const answers = [
      { press: 'button' } as const,
      env('URL'),
      `${env('KEY')}-${index}`,
      '',
      '',
      `account ${String(index).padStart(2, '0')}`,
    ];
    user.answersPick = ({ choices }) => [choices.find(({ label }) => label === 'Browserbase')?.value];
    user.answersAsk = () => answers.shift();
    await command('addAccount');
  }
  const deadline = Date.now() + 60_000;
  while (api.sessions().length < count * Number(env('SESSIONS'))) {
    if (Date.now() > deadline) throw new Error(`Only ${api.sessions().length} sessions were listed.`);
    await pause(100);
  }
}

/** How often each redraw is measured. The first one also compiles what it runs. */
const redrawRounds = 7;
/** VS Code asks for rows at most this many milliseconds after they changed. */
const quietMs = 500;

/** Draws 5,000 sessions in a real VS Code view, and alternately changes one of them and redraws the root. */
async function redrawnTree(): Promise<{ readonly one: Redraw; readonly root: Redraw }> {
  const account: Account = {
    id: accountId('bench'),
    provider: 'browserbase',
    label: 'bench',
    origin: 'https://a.example',
  };
  const store = new SessionStore(Date.now);
  store.setAccounts([account.id]);
  const sessions = Array.from({ length: 5_000 }, (_, index) => someSession(`session-${index}`));
  const list = (listed: readonly Session[]) => {
    const run = store.beginList(account.id);
    run.arrive({ sessions: listed, groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(store, account.id, listed));
  };
  list(sessions);
  const names = new SessionNames(store);
  const tree = new SessionsTree(
    {
      store,
      nodes: new TreeNodes(),
      names,
      details: () => ['age', 'region'],
      accounts: () => [account],
      account: () => account,
      kind: () => undefined,
      now: Date.now,
      filter: noFilter,
      finished: () => undefined,
      isProtected: () => false,
      isMine: () => undefined,
      opensOnClick: () => true,
      ratePerHour: () => undefined,
      currency: () => 'USD',
      isForThisWindow: () => false,
    },
    arranged(store, { changes: names.onDidChange }),
    { load: async () => undefined, draw: async () => undefined, setAttention: () => undefined },
    new LostPages(store, async () => undefined),
    vscode.Uri.file('/'),
  );
  for (let shown = rowsAtOnce; shown < sessions.length; shown += rowsAtOnce) tree.showMore(account.id, undefined);
  let items = 0;
  const view = vscode.window.createTreeView('browserSessionsBench.list', {
    treeDataProvider: {
      onDidChangeTreeData: tree.onDidChangeTreeData,
      getChildren: (node) => tree.getChildren(node),
      getParent: (node) => tree.getParent(node),
      getTreeItem: (node) => {
        items++;
        return tree.getTreeItem(node);
      },
    },
  });
  await vscode.commands.executeCommand('browserSessionsBench.list.focus');
  /** The CPU time of the extension host's main thread from some work until no more rows are requested, and how long that took. */
  const cpuOf = async (work?: () => void): Promise<{ readonly cpuMs: number; readonly ms: number }> => {
    items = 0;
    const began = performance.now();
    const before = process.threadCpuUsage();
    work?.();
    let known = -1;
    do {
      known = items;
      await pause(quietMs);
    } while (items > known || (items === 0 && work !== undefined));
    const { user, system } = process.threadCpuUsage(before);
    return { cpuMs: (user + system) / 1_000, ms: performance.now() - began };
  };
  const measured = async (work: () => void): Promise<Redraw> => {
    const idle = await cpuOf();
    const { cpuMs, ms } = await cpuOf(work);
    return { items, cpuMs: Math.max(0, cpuMs - (idle.cpuMs / idle.ms) * ms) };
  };
  await measured(() => tree.redrawAll());
  const [changes, redraws]: [Redraw[], Redraw[]] = [[], []];
  for (let round = 0; round < redrawRounds; round++) {
    const changed = someSession('session-4999', { region: `eu-${round}` });
    changes.push(await measured(() => list([...sessions.slice(0, -1), changed])));
    redraws.push(await measured(() => tree.redrawAll()));
  }
  view.dispose();
  const middle = (all: readonly Redraw[]): Redraw => ({
    items: Math.max(...all.map((one) => one.items)),
    cpuMs: median(all.map((one) => one.cpuMs)),
  });
  return { one: middle(changes), root: middle(redraws) };
}
