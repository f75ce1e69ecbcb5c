import { browserlessCloudStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Browserless cloud', browserlessCloudStage);
