import { strictBrowserlessV2Stage } from './stages.ts';
import { providerContract } from './suite.ts';

providerContract('Browserless v2, strict', strictBrowserlessV2Stage);
