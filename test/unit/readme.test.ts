import { strict as assert } from 'node:assert';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listFiles } from '@vscode/vsce';
import { providerKinds } from '../../src/providers/index.ts';
import type { CommandEntry } from '../../src/ui/commands/menus.ts';
import { commandTable } from '../../src/ui/commands/table.ts';
import { readManifest } from '../manifest.ts';
import { currentDocuments } from '../readme.ts';

const readme = readFileSync('README.md', 'utf8');
/** What VS Code shows of an extension: the pages "Details" and "Changelog". */
const packaged = ['README.md', 'CHANGELOG.md'];
const documents = globSync(['*.md', '{src,test}/**/*.md'], { exclude: ['**/node_modules/**'] });
const mostPictureBytes = 2 * 1024 * 1024;

function picturesIn(document: string): { readonly alt: string; readonly path: string }[] {
  const text = readFileSync(document, 'utf8');
  assert.doesNotMatch(text, /<img\b/, `${document}: pictures are written as ![text](path)`);
  return [...text.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)].map(([, alt = '', path = '']) => ({ alt, path }));
}

describe('README', () => {
  it('lists every command of the palette and every setting', () => {
    const entries: readonly CommandEntry[] = Object.values(commandTable);
    for (const { title, palette } of entries)
      if (palette !== 'never') assert.ok(readme.includes(`| ${title} |`), title);
    for (const key of Object.keys(readManifest().manifest.contributes.configuration.properties)) {
      assert.ok(readme.includes(`| \`${key}\` |`), key);
    }
  });

  it('says what package.json, the command table and the providers say: `npm run readme` writes it', () => {
    for (const [path, text] of currentDocuments()) assert.equal(readFileSync(path, 'utf8'), text, path);
    for (const { label } of providerKinds) assert.ok(readme.includes(`| ${label} |`), label);
  });

  it('says what the extension is, how to get it and how to see a first session before anything else', () => {
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings.slice(0, 3), ['Browser Sessions', 'Install', 'Your first session in three steps']);
    const [introduction = '', , steps = ''] = readme.split(/^#+ .+$/m).slice(1);
    assert.equal(introduction.match(/\.(?=\s)/g)?.length, 2, 'the introduction has two sentences');
    assert.equal(steps.match(/^\d\. /gm)?.length, 3);
  });
});

describe('the documents', function () {
  // Reading all of the files takes the processor for several seconds.
  this.timeout(60_000);
  it('name only scripts and files that exist', () => {
    const { scripts } = readManifest().manifest;
    for (const file of documents) {
      const text = readFileSync(file, 'utf8').replaceAll('[x](command:…)', '');
      for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
        assert.ok(name in scripts, `${file}: npm run ${name}`);
      for (const [, path = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
        assert.ok(existsSync(join(dirname(file), path)), `${file}: ${path}`);
      for (const [path] of text.matchAll(/(?<![./\w])(?:src|test)\/[\w./-]+\.(?:ts|md)\b/g))
        assert.ok(existsSync(path), `${file}: ${path}`);
    }
  });

  it('describe each picture in words, for people who can’t see it', () => {
    const pictures = documents.flatMap((document) => picturesIn(document).map((picture) => ({ document, ...picture })));
    assert.ok(pictures.length > 0);
    for (const { document, alt, path } of pictures) {
      assert.ok(alt.split(' ').length >= 5, `${document}: ${path} has “${alt}” as its alternative text`);
    }
  });

  it('show pictures of at most 2 MB, and those of the extension page are in the package', async () => {
    const inPackage = await listFiles({ packagedDependencies: [] });
    for (const document of documents) {
      for (const { path } of picturesIn(document)) {
        assert.ok(statSync(join(dirname(document), path)).size <= mostPictureBytes, path);
        if (packaged.includes(document)) assert.ok(inPackage.includes(path), `${path} is missing from the package`);
      }
    }
  });
});
