import { useBrowserless } from '../../../host/useBrowserless.ts';
import {
  anchorStage,
  browserbaseStage,
  browserlessCloudStage,
  browserlessV1Stage,
  browserlessV2Stage,
  gatewayStage,
  localChromeStage,
  madeUpStage,
  strictBrowserlessV2Stage,
} from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Anchor Browser', anchorStage, { oddStatuses: true, malformedRows: true, probesGone: true });
providerContract('Browserbase', browserbaseStage, { oddStatuses: true, malformedRows: true, probesGone: true });
providerContract('Browserless v1', browserlessV1Stage, { oddStatuses: false, malformedRows: true, probesGone: false });
providerContract('Browserless v2, strict', strictBrowserlessV2Stage, {
  oddStatuses: false,
  malformedRows: true,
  probesGone: false,
});
providerContract('Browserless cloud', browserlessCloudStage, {
  oddStatuses: false,
  malformedRows: true,
  probesGone: false,
});
providerContract('Session gateway', gatewayStage, { oddStatuses: true, malformedRows: true, probesGone: true });
providerContract('Local Chrome', localChromeStage, { oddStatuses: false, malformedRows: false, probesGone: true });
providerContract('A made-up vendor', madeUpStage, { oddStatuses: true, malformedRows: true, probesGone: true });

describe('the real Browserless', () => {
  const used = useBrowserless();
  const stage = () => browserlessV2Stage(used.browserless);
  providerContract('Browserless v2', stage, { oddStatuses: false, malformedRows: false, probesGone: false });
});
