import { gatewayStage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Session gateway', gatewayStage);
