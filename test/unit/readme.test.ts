import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { providerKinds } from '../../src/providers/index.ts';
import { type CommandEntry, commandTable } from '../../src/ui/commands/table.ts';
import { readManifest } from '../manifest.ts';
import { currentReadme } from '../readme.ts';

const readme = readFileSync('README.md', 'utf8');

describe('README', () => {
  it('tells every command of the palette and every setting', () => {
    const entries: readonly CommandEntry[] = Object.values(commandTable);
    for (const { title, palette } of entries)
      if (palette !== 'never') assert.ok(readme.includes(`| ${title} |`), title);
    for (const key of Object.keys(readManifest().manifest.contributes.configuration.properties)) {
      assert.ok(readme.includes(`| \`${key}\` |`), key);
    }
  });

  it('has the table of providers that their files make: `npm run readme` writes it', () => {
    assert.equal(readme, currentReadme());
    for (const { label } of providerKinds) assert.ok(readme.includes(`| ${label} |`), label);
  });

  it('names only scripts and files that there are', () => {
    const { scripts } = readManifest().manifest;
    for (const file of ['README.md', 'CONTRIBUTING.md']) {
      const text = readFileSync(file, 'utf8').replaceAll('[x](command:…)', '');
      for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
        assert.ok(name in scripts, `${file}: npm run ${name}`);
      for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
        assert.ok(existsSync(path), `${file}: ${path}`);
      for (const [path] of text.matchAll(/\b(?:src|test)\/[\w./-]+\.(?:ts|md)\b/g))
        assert.ok(existsSync(path), `${file}: ${path}`);
    }
  });
});
