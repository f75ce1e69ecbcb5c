import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { WorkbenchPerson } from './person.ts';

/**
 * Runs in the workbench: what its webviews load is held back until one of them is given a page in place of its first, which
 * has then loaded while the other one is about to be shown; or for a while, where none is.
 * @returns what undoes that.
 */
function holdResources(delayMs: number): () => void {
  const real = MessagePort.prototype.postMessage;
  const post: (this: MessagePort, ...rest: unknown[]) => void = real as never;
  const pages = new Map<MessagePort, number>();
  let released = false;
  let waiting: (() => void)[] = [];
  const release = () => {
    released = true;
    for (const pass of waiting) pass();
    waiting = [];
  };
  MessagePort.prototype.postMessage = function (this: MessagePort, ...rest: unknown[]) {
    const { channel } = Object(rest[0]) as { channel?: unknown };
    if (channel === 'content') {
      pages.set(this, (pages.get(this) ?? 0) + 1);
      if (pages.get(this) === 2) setTimeout(release, delayMs);
    }
    if (channel !== 'did-load-resource' || released) post.apply(this, rest);
    else {
      if (waiting.length === 0) setTimeout(release, 2_500);
      waiting.push(() => post.apply(this, rest));
    }
  };
  return () => {
    MessagePort.prototype.postMessage = real;
  };
}

describe('a person whose editor loads panels slowly', function () {
  this.timeout(120_000);
  let anchor: AnchorServer;
  let person: WorkbenchPerson;

  before(async () => {
    anchor = await startAnchor();
    for (const name of ['shop', 'mail']) anchor.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    // A row that is drawn anew below the mouse would take no click.
    person = await WorkbenchPerson.sitDown({ settings: { 'browserSessions.refresh.interval': 0 } });
    await person.addAt('Anchor Browser', anchor.url, anchor.key, 'shop');
    await person.choose(person.row('Session shop.example'), 'Open Live View');
    await (await person.live('shop.example')).getByRole('button', { name: 'Show Live View' }).click();
    await person.framed('shop.example');
  });
  after(async () => {
    await person?.picture('slow-panel-end');
    await person?.standUp();
    await anchor?.stop();
  });

  it('sees what is framed, however long the panel’s own page takes beside what is asked for it', async () => {
    // By then a panel's first page waits for what it loads.
    anchor.misbehave('GET', /pages$/, { kind: 'slow', ms: 1_500 });
    const tab = person.page.getByRole('tab', { name: 'Live: mail.example' });
    for (const delayMs of [30, 60, 100, 130]) {
      const undo = await person.page.evaluateHandle(holdResources, delayMs);
      await person.row('Session mail.example').click();
      await person.framed('mail.example');
      await tab.click({ button: 'middle' });
      await tab.waitFor({ state: 'detached' });
      await undo.evaluate((its) => its());
    }
  });
});
