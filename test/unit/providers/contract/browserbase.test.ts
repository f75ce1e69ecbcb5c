import { browserbaseStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Browserbase', browserbaseStage);
