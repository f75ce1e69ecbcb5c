// `npm run package:api`: creates the npm package for other extensions, as it would be published.
import { copyFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { packApi } from './host/apiPackage.ts';
import { temporaryFolder } from './host/processes.ts';
import { script, step } from './host/steps.ts';

await script(async () => {
  await step('Package the API', async () => {
    const tgz = await packApi(temporaryFolder('api'));
    await copyFile(tgz, basename(tgz));
    console.log(`  ${basename(tgz)}`);
  });
});
