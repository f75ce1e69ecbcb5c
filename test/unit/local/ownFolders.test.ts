import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OwnFolders } from '../../../src/local/ownFolders.ts';
import { temporaryFolder } from '../../host/processes.ts';

describe('folders of small files', () => {
  let folder: string;
  let texts: string[];
  let files: OwnFolders<string>;
  beforeEach(() => {
    folder = temporaryFolder('own');
    texts = [];
    files = new OwnFolders(
      (name) => name.endsWith('.pid'),
      100,
      (text) => {
        texts.push(text);
        return text === 'bad' ? undefined : text.toUpperCase();
      },
    );
  });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const contents = async () => ((await files.read([folder])).get(folder) ?? []).map(({ content }) => content).sort();

  it('have only their changed files read again', async () => {
    write('a.pid', 'a');
    write('b.pid', 'bad');
    assert.deepEqual(await contents(), ['A']);
    assert.deepEqual(await contents(), ['A']);
    assert.deepEqual(texts.sort(), ['a', 'bad']);
    write('b.pid', 'better');
    write('c.pid', 'c');
    assert.deepEqual(await contents(), ['A', 'BETTER', 'C']);
    assert.equal(texts.length, 4);
  });

  it('leave out everything except small files of this user', async () => {
    write('a.pid', 'a');
    write('a.txt', 'other');
    write('large.pid', 'x'.repeat(101));
    mkdirSync(join(folder, 'folder.pid'));
    symlinkSync('/dev/zero', join(folder, 'device.pid'));
    symlinkSync(join(folder, 'a.txt'), join(folder, 'link.pid'));
    assert.deepEqual(await contents(), ['A']);
    assert.deepEqual(texts, ['a']);
    assert.deepEqual([...(await files.read(['/does/not/exist'])).values()], [[]]);
  });

  it('have only their newest 2,000 files read', async () => {
    for (let at = 0; at < 2_010; at++) {
      write(`${at}.pid`, `${at}`);
      utimesSync(join(folder, `${at}.pid`), at, at);
    }
    const read = (await files.read([folder])).get(folder) ?? [];
    assert.equal(read.length, 2_000);
    assert.equal(Math.min(...read.map(({ content }) => Number(content))), 10);
  });
});
