import { browserlessV1Stage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Browserless v1', browserlessV1Stage);
