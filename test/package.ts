// `npm run package`: creates the VSIX, and fails when it contains anything that doesn't belong in it.
import { readFileSync, statSync } from 'node:fs';
import { createVSIX, listFiles } from '@vscode/vsce';
import { run } from './host/processes.ts';
import { Advice, script, step } from './host/steps.ts';
import { readManifest } from './manifest.ts';

const belongs =
  /^(dist\/[^/]+\.js|media\/[^/]+\.(svg|png|css|js)|media\/providers\/(light|dark)\/\w+\.svg|media\/walkthrough\/[^/]+\.svg|l10n\/bundle\.l10n\.[\w-]+\.json|package(\.nls(\.[\w-]+)?)?\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
/** Without the README's pictures, which have a limit of their own; see test/unit/readme.test.ts. */
const mostKilobytes = 400;

await script(async () => {
  await step('Build', () => run(process.execPath, ['esbuild.js']));
  const { manifest } = readManifest();
  const packagePath = `${manifest.name}-${manifest.version}.vsix`;
  await step('Package', () => createVSIX({ packagePath, dependencies: false, skipLicense: false }));
  const files = await listFiles({ packagedDependencies: [] });
  const unexpected = files.filter((file) => !belongs.test(file));
  if (unexpected.length > 0)
    throw new Advice(`These files don’t belong in the package; see .vscodeignore:\n${unexpected.join('\n')}`);
  const inKilobytes = (path: string) => Math.round(statSync(path).size / 1024);
  const readme = readFileSync('README.md', 'utf8');
  const pictures = files.filter((file) => file.endsWith('.png') && readme.includes(`](${file})`));
  const pictured = pictures.reduce((sum, file) => sum + inKilobytes(file), 0);
  const kilobytes = inKilobytes(packagePath) - pictured;
  console.log(`${packagePath}: ${files.length} files, ${kilobytes} KB, and ${pictured} KB of pictures`);
  if (kilobytes > mostKilobytes)
    throw new Advice(`The package is larger than ${mostKilobytes} KB without its pictures.`);
});
