import { localChromeStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Local Chrome', localChromeStage);
