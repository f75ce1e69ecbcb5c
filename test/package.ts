// `npm run package`: makes the VSIX, and fails when it holds anything that does not belong into it.
import { statSync } from 'node:fs';
import { createVSIX, listFiles } from '@vscode/vsce';
import { run } from './host/processes.ts';
import { Advice, script, step } from './host/steps.ts';
import { readManifest } from './manifest.ts';

const belongs =
  /^(dist\/[^/]+\.js|media\/[^/]+\.(svg|png|css|js)|l10n\/bundle\.l10n(\.[\w-]+)?\.json|package(\.nls)?\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
const mostKilobytes = 400;

await script(async () => {
  await step('Build', () => run(process.execPath, ['esbuild.js']));
  const { manifest } = readManifest();
  const packagePath = `${manifest.name}-${manifest.version}.vsix`;
  await step('Package', () => createVSIX({ packagePath, dependencies: false, skipLicense: false }));
  const files = await listFiles({ packagedDependencies: [] });
  const strangers = files.filter((file) => !belongs.test(file));
  if (strangers.length > 0)
    throw new Advice(`These do not belong into the package; see .vscodeignore:\n${strangers.join('\n')}`);
  const kilobytes = Math.round(statSync(packagePath).size / 1024);
  console.log(`${packagePath}: ${files.length} files, ${kilobytes} KB`);
  if (kilobytes > mostKilobytes) throw new Advice(`The package is larger than ${mostKilobytes} KB.`);
});
