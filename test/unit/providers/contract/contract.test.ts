import { useBrowserless } from '../../../host/useBrowserless.ts';
import {
  anchorStage,
  browserbaseStage,
  browserlessCloudStage,
  browserlessV1Stage,
  browserlessV2Stage,
  exampleStage,
  gatewayStage,
  localChromeStage,
  strictBrowserlessV2Stage,
} from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Anchor Browser', anchorStage);
providerContract('Browserbase', browserbaseStage);
providerContract('Browserless v1', browserlessV1Stage);
providerContract('Browserless v2, strict', strictBrowserlessV2Stage);
providerContract('Browserless cloud', browserlessCloudStage);
providerContract('Session gateway', gatewayStage);
providerContract('Local Chrome', localChromeStage);
providerContract('A made-up provider', exampleStage);

describe('the real Browserless', () => {
  const used = useBrowserless();
  const stage = () => browserlessV2Stage(used.browserless);
  providerContract('Browserless v2', stage);
});
