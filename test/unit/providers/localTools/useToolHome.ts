import { strict as assert } from 'node:assert';
import type { Inventory } from '../../../../src/core/inventory.ts';
import type { Provider, ProviderKind } from '../../../../src/core/provider.ts';
import type { Session } from '../../../../src/core/session.ts';
import { openProcessReader } from '../../../../src/local/openProcessReader.ts';
import { connectTo, thisMachine } from '../../../../src/providers/local/thisMachine.ts';
import { openToolHome, type RunningProcess, type ToolHome } from '../../../host/localTools.ts';
import { connect, unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';

/** A block of tests that only Linux can run: the process table is read there. */
export function onLinux(title: string, tests: (this: Mocha.Suite) => void): void {
  // Looked up for each file: mocha sets another one for each that runs in the same process.
  (process.platform === 'linux' ? describe : describe.skip)(title, tests);
}

export const pageCalled = (title: string) => `data:text/html,<title>${title}</title><h1>${title}</h1>`;

/** Skips a block's tests if a tool can't be downloaded, and says why. */
export async function orSkip<Tool>(test: Mocha.Context, ensure: () => Promise<Tool>): Promise<Tool> {
  try {
    return await ensure();
  } catch (error) {
    console.log(`      skipped: ${String(error)}`);
    return test.skip();
  }
}

export const pidOf = ({ id }: Pick<Session, 'id'>) => Number(id.split('-')[0]);

export const fact = ({ facts }: Session, label: string) => facts.find(([its]) => its === label)?.[1];

/** Gives each test of a block a home of its own for tools, and a provider that looks for their sessions there. */
export function useToolHome() {
  let home: ToolHome;
  let provider: Provider;

  beforeEach(async () => {
    home = await openToolHome();
    const kind: ProviderKind = {
      ...thisMachine,
      connect: (link) => connectTo(link, () => openProcessReader(), home.env),
    };
    ({ provider } = connect(kind, 'http://localhost'));
  });
  afterEach(() => home.clear());

  const list = async (): Promise<Inventory> => {
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    assert.ok(inventory);
    return inventory;
  };
  /** The rows of this home's processes. */
  async function rows(): Promise<readonly Session[]> {
    const pids = new Set(home.processes().map(({ pid }) => pid));
    return (await list()).sessions.filter(({ id }) => pids.has(pidOf({ id })));
  }
  async function onlyRow(isSo: (session: Session) => boolean = () => true): Promise<Session> {
    let found: readonly Session[] = [];
    await until(
      async () => {
        found = await rows();
        return found.length === 1 && found.every(isSo);
      },
      () => JSON.stringify(found),
    );
    const [row] = found;
    assert.ok(row);
    return row;
  }
  /** The row of a session that only controls a browser that something else started. */
  async function attachedRow(): Promise<Session> {
    let attached: Session | undefined;
    await until(async () => {
      attached = (await rows()).find(({ ends }) => ends === 'connection');
      return attached !== undefined;
    });
    assert.ok(attached);
    return attached;
  }
  const groupOf = async ({ groupId }: Session) => (await list()).groups.find(({ id }) => id === groupId)?.name;
  const onlyBrowser = (): RunningProcess => {
    const [browser, ...others] = home.browsers();
    assert.ok(browser);
    assert.deepEqual(others, []);
    return browser;
  };
  async function endsAll(row: Session): Promise<void> {
    assert.equal((await provider.end(row, unaborted)).outcome, 'ended');
    assert.equal(await provider.probe(row, unaborted), 'gone');
    await until(() => home.processes().every(({ program }) => program.endsWith('crashpad_handler')));
    assert.deepEqual(await rows(), []);
  }

  return {
    get home() {
      return home;
    },
    get provider() {
      return provider;
    },
    list,
    rows,
    onlyRow,
    attachedRow,
    groupOf,
    onlyBrowser,
    endsAll,
  };
}
