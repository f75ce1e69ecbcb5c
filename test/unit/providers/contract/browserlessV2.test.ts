import { useBrowserless } from '../../../host/useBrowserless.ts';
import { browserlessV2Stage } from './stages.ts';
import { providerContract } from './suite.ts';

describe('the real Browserless', () => {
  const used = useBrowserless();
  const stage = () => browserlessV2Stage(used.browserless);
  providerContract('Browserless v2', stage);
});
