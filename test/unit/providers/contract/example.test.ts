import { exampleStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('A made-up provider', exampleStage);
