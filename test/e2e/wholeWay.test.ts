import { strict as assert } from 'node:assert';
import { menuTakesClicks } from '../host/workbench.ts';
import { type BrowserbaseServer, startBrowserbase } from '../servers/browserbase.ts';
import { type Theme, until, WorkbenchUser } from './user.ts';

const minuteMs = 60_000;
const account = 'Account Browserbase · prod';

/** A user's whole way from an empty profile to a removed account. */
class Journey {
  readonly name: string;
  readonly user: WorkbenchUser;
  readonly server: BrowserbaseServer;

  constructor(name: string, user: WorkbenchUser, server: BrowserbaseServer) {
    this.name = name;
    this.user = user;
    this.server = server;
  }

  get #input() {
    return this.user.page.locator('.quick-input-widget');
  }

  press(key: string): Promise<void> {
    return this.user.page.keyboard.press(key);
  }

  /** Answers the steps of Add Account, starting with the address. */
  async enterAccount(): Promise<void> {
    const { user, server } = this;
    await user.type('Address of the Browserbase API', server.url);
    await user.type('Browserbase API key', server.key);
    await user.type('Browserbase project ID', '');
    await user.type('Address of the Stagehand API', '');
    await user.type('Enter a name to show in the Sessions view', 'prod');
  }

  /** Counts the user's clicks from now on. */
  async countClicks(): Promise<void> {
    await this.user.page.evaluate(() => {
      Object.assign(window, { clicks: 0 });
      addEventListener('pointerdown', () => Reflect.set(window, 'clicks', Reflect.get(window, 'clicks') + 1), true);
    });
  }

  clicks(): Promise<number> {
    return this.user.page.evaluate(() => Reflect.get(window, 'clicks'));
  }

  differentAddress() {
    return this.#input.getByRole('button', { name: 'Use a Different Address…' });
  }

  welcome(button: string) {
    return this.user.page.locator('.welcome-view').getByRole('button', { name: button });
  }

  /** Saves a screenshot. */
  picture(what: string): Promise<void> {
    return this.user.picture(`whole-way-${this.name}-${what}`);
  }

  /** Saves a screenshot in each theme, with a wide side bar and with one of 240 pixels. That needs a mouse. */
  async pictures(what: string): Promise<void> {
    if (this.name === 'keyboard') return this.picture(what);
    const before = (await this.user.page.locator('.part.sidebar').boundingBox())?.width ?? 0;
    for (const theme of ['light', 'dark', 'high-contrast'] satisfies Theme[]) {
      await this.user.useTheme(theme);
      await this.picture(`${what}-${theme}`);
      await this.user.resizeSideBar(240);
      await this.picture(`${what}-${theme}-narrow`);
      await this.user.resizeSideBar(before);
    }
  }
}

/** How a user takes each step. */
interface InputMethod {
  readonly theme: string;
  addAccount(journey: Journey): Promise<void>;
  arrange(journey: Journey, list: 'Sort By' | 'Group By', choice: string): Promise<void>;
  /** Opens the filter's input. */
  openFilter(journey: Journey): Promise<void>;
  /** Requests the end of a row's session. */
  end(journey: Journey, row: string): Promise<void>;
  /** Presses a button of the dialog. */
  confirm(journey: Journey, button: string): Promise<void>;
  clearFilter(journey: Journey): Promise<void>;
  removeAccount(journey: Journey): Promise<void>;
}

const mouse: InputMethod = {
  theme: 'Light 2026',
  async addAccount(journey) {
    await journey.user.openView();
    await journey.welcome('Add Account').click();
    await journey.user.pick('Browserbase');
    await journey.differentAddress().click();
  },
  async arrange({ user: { page } }, list, choice) {
    const header = page.locator('.pane-header').first();
    await page.getByRole('treeitem').first().hover();
    await header.getByRole('button', { name: /More Actions/ }).click();
    await page.getByRole('menuitem', { name: list, exact: true }).hover();
    const item = page.getByRole('menuitem', { name: choice, exact: true });
    await item.waitFor();
    await menuTakesClicks(page);
    await item.click();
  },
  async openFilter({ user: { page } }) {
    await page.getByRole('treeitem').first().hover();
    await page.locator('.pane-header').first().getByRole('button', { name: 'Filter Sessions…' }).click();
  },
  async end({ user }, row) {
    await user.row(row).hover();
    await user.row(row).getByRole('button', { name: 'End Session…' }).click();
  },
  confirm: ({ user }, button) => user.press(button),
  async clearFilter({ user: { page } }) {
    await page.getByRole('treeitem').first().hover();
    await page.locator('.pane-header').first().getByRole('button', { name: 'Clear Filter' }).click();
  },
  removeAccount: ({ user }) => user.choose(user.row(account), 'Remove Account…'),
};

/** Runs a command from the palette, using only the keyboard. */
async function runByKeys({ user: { page } }: Journey, title: string): Promise<void> {
  await page.keyboard.press('F1');
  const palette = page.locator('.quick-input-widget');
  await palette.getByRole('option').first().waitFor();
  await page.keyboard.insertText(title);
  await palette.getByRole('option', { name: title }).first().waitFor();
  await page.keyboard.press('Enter');
}

const keyboard: InputMethod = {
  theme: 'Default High Contrast',
  async addAccount(journey) {
    await runByKeys(journey, 'View: Show Browser Sessions');
    await journey.user.pressByKeys(journey.welcome('Add Account'), 'Tab');
    await journey.user.page.getByRole('option', { name: /Browserbase/ }).waitFor();
    await journey.user.page.keyboard.insertText('Browserbase');
    await journey.press('Enter');
    await journey.user.pressByKeys(journey.differentAddress());
  },
  async arrange(journey, list, choice) {
    await runByKeys(journey, `Browser Sessions: ${list}…`);
    const option = journey.user.page.getByRole('option', { name: choice });
    await option.waitFor();
    await journey.user.page.keyboard.insertText(choice);
    await journey.press('Enter');
    await option.waitFor({ state: 'hidden' });
  },
  openFilter: (journey) => runByKeys(journey, 'Browser Sessions: Filter Sessions…'),
  async end(journey, row) {
    await runByKeys(journey, 'Browser Sessions: Focus on Sessions View');
    await journey.user.walkTo(row);
    await journey.press('Delete');
  },
  confirm: ({ user }, button) => user.pressByKeys(user.dialogButton(button), 'Tab'),
  clearFilter: (journey) => runByKeys(journey, 'Browser Sessions: Clear Filter'),
  async removeAccount(journey) {
    await runByKeys(journey, 'Browser Sessions: Focus on Sessions View');
    await journey.user.walkTo(account);
    await journey.press('Shift+F10');
    await menuTakesClicks(journey.user.page);
    const chosen = journey.user.page.locator('.monaco-menu .action-item.focused');
    await journey.press('ArrowDown');
    for (let items = 0; !/^Remove Account…/.test(await chosen.innerText()); items++) {
      assert.ok(items < 20, 'the menu has no Remove Account…');
      await journey.press('ArrowDown');
    }
    await journey.press('Enter');
  },
};

for (const [name, method] of Object.entries({ mouse, keyboard })) {
  describe(`a new user, from an empty profile to a removed account, with the ${name}`, function () {
    this.timeout(180_000);
    // Each test continues where the previous one ended.
    this.bail(true);
    let server: BrowserbaseServer;
    let user: WorkbenchUser;
    let journey: Journey;

    before(async () => {
      server = await startBrowserbase();
      const add = (job: string, minutes: number, region: string) =>
        server.add({
          createdAt: new Date(Date.now() - minutes * minuteMs),
          region,
          userMetadata: { name: job, owner: 'anna@example.com' },
        });
      add('checkout', 372, 'eu-central-1');
      add('checkout', 42, 'eu-central-1');
      add('price check for the whole catalog', 65, 'us-west-2');
      add('checkout', 3, 'us-west-2');
      add('login', 12, 'ap-southeast-1');
      user = await WorkbenchUser.open({ theme: method.theme, opensView: false });
      journey = new Journey(name, user, server);
      await journey.countClicks();
    });
    after(async () => {
      await journey?.picture('end');
      await user?.standUp();
      await server?.stop();
    });

    /** Waits until the rows below the account start with these texts. */
    async function sees(...expected: readonly string[]): Promise<void> {
      const shown = async () => (await user.rows()).slice(1).map((row) => row.replace(/^Session /, '').split(',')[0]);
      await until(async () => JSON.stringify(await shown()) === JSON.stringify(expected)).catch(async () =>
        assert.deepEqual(await shown(), expected),
      );
    }
    /** What rows call the session that started this many minutes ago. */
    const called = (job: string, minutes: number) => `${job} · ${shortId(minutes)}`;
    const shortId = (minutes: number) => sessionOf(minutes).id.slice(0, 8);
    const sessionOf = (minutes: number) => {
      const isIt = ({ createdAt }: { createdAt: Date }) =>
        Math.abs(Date.now() - createdAt.getTime() - minutes * minuteMs) < 3 * minuteMs;
      return [...server.sessions.values()].find(isIt) ?? assert.fail(`no session of ${minutes} minutes`);
    };

    it('connects an account, starting from the welcome view', async () => {
      await method.addAccount(journey);
      await journey.picture('address');
      await journey.enterAccount();
      await user.row(`${account}, 5 of 25`).waitFor();
      await user.row('Session login').waitFor();
      await journey.pictures('connected');
    });

    it('sorts, groups and filters the list', async () => {
      await method.arrange(journey, 'Sort By', 'Oldest First');
      await method.arrange(journey, 'Group By', 'Region');
      await method.openFilter(journey);
      await user.page.getByPlaceholder('Leave empty to show all sessions').waitFor();
      await user.page.keyboard.type('checkout');
      await sees('eu-central-1', called('checkout', 372), called('checkout', 42), 'us-west-2', called('checkout', 3));
      await journey.picture('filtering');
      await journey.press('Enter');
      await user.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
      await user.page.locator('.pane-header').first().getByText('3 of 5 match "checkout"').waitFor();
      await journey.pictures('arranged');
    });

    it('ends the session that the dialog names, and no other', async () => {
      const wanted = sessionOf(42);
      await method.end(journey, `Session ${called('checkout', 42)}`);
      const dialog = await user.dialog();
      await journey.picture('asked');
      const [, said, id = ''] = /End session "(.+)" \((\S+)\)\?/.exec(dialog) ?? assert.fail(dialog);
      assert.equal(said, 'checkout');
      assert.ok(wanted.id.startsWith(id) && id.length === 8, dialog);
      const others = server.running.filter((running) => !running.startsWith(id));
      assert.equal(others.length, 4);
      await method.confirm(journey, 'End Session');
      await until(async () => server.running.length === 4);
      assert.deepEqual(server.running, others);
      assert.equal(wanted.status, 'COMPLETED');
      await user.row(`Session ${called('checkout', 42)}`).waitFor({ state: 'detached' });
      await journey.pictures('ended');
    });

    it('removes the account, and its other sessions keep running', async () => {
      await method.clearFilter(journey);
      await user.row('Session login').waitFor();
      await method.removeAccount(journey);
      assert.match(await user.dialog(), /Remove account "Browserbase · prod"\?[\s\S]*4 sessions will keep running/);
      await journey.picture('removing');
      await method.confirm(journey, 'Remove Account');
      await journey.welcome('Add Account').waitFor();
      await journey.pictures('removed');
      assert.equal(server.running.length, 4);
      assert.equal((await journey.clicks()) > 0, name === 'mouse');
    });
  });
}
