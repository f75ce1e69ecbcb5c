import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { largestEnvFile, readEnvFiles } from '../../../src/local/envFiles.ts';
import { temporaryFolder } from '../../host/processes.ts';

describe('variable files of a folder', () => {
  const read = async (files: Readonly<Record<string, string | Buffer>>) => {
    const folder = temporaryFolder('env');
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return { folder, ...(await readEnvFiles(folder)) };
  };

  it('are .env and those whose names go on with a dot or a dash, in order, without templates and programs', async () => {
    const names = ['.env.local', '.env', '.env-ci', '.env.production.local', '.env.example', '.env.sample', '.envrc'];
    const { files, skipped } = await read(Object.fromEntries([...names, 'env', 'x.env'].map((name) => [name, name])));
    assert.deepEqual(
      files.map(({ name }) => name),
      ['.env', '.env-ci', '.env.local', '.env.production.local'],
    );
    assert.equal(files[0]?.text, '.env');
    assert.deepEqual(skipped, []);
  });

  it('are not read through links, wherever these lead, and it says so', async () => {
    const { folder: outside } = await read({ secret: 'ANCHOR_API_KEY=outside' });
    const { folder } = await read({ real: 'ANCHOR_API_KEY=inside' });
    symlinkSync(join(outside, 'secret'), join(folder, '.env'));
    symlinkSync('real', join(folder, '.env.local'));
    symlinkSync('/nowhere', join(folder, '.env.broken'));
    assert.deepEqual(await readEnvFiles(folder), {
      files: [],
      skipped: ['.env', '.env.broken', '.env.local'].map((name) => ({ name, reason: 'link' })),
    });
  });

  it('are skipped over 128 KB, and it says so', async () => {
    const { files, skipped } = await read({
      '.env': 'x'.repeat(largestEnvFile),
      '.env.big': 'x'.repeat(largestEnvFile + 1),
    });
    assert.deepEqual(
      files.map(({ name, text }) => [name, text.length]),
      [['.env', 131_072]],
    );
    assert.deepEqual(skipped, [{ name: '.env.big', reason: 'tooLarge' }]);
  });

  it('are at most fifty, and it says from which on they weren’t read', async () => {
    const names = Array.from({ length: 52 }, (_, index) => `.env.${String(index).padStart(2, '0')}`);
    const { files, skipped } = await read(Object.fromEntries(names.map((name) => [name, 'A=1'])));
    assert.equal(files.length, 50);
    assert.deepEqual(skipped, [{ name: '.env.50', reason: 'tooMany' }]);
  });

  it('are ignored when they are folders, binary, or pipes that no one writes to', async () => {
    const { folder } = await read({ '.env.bin': Buffer.from([65, 61, 66, 0, 255, 254]) });
    mkdirSync(join(folder, '.env'));
    if (process.platform !== 'win32') execFileSync('mkfifo', [join(folder, '.env.pipe')]);
    assert.deepEqual(await readEnvFiles(folder), { files: [], skipped: [] });
  });

  it('don’t exist in a folder that doesn’t', async () => {
    assert.deepEqual(await readEnvFiles('/does/not/exist'), { files: [], skipped: [] });
  });
});
