import { anchorStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Anchor Browser', anchorStage);
