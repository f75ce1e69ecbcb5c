import type { ProviderKind } from '../core/provider.ts';
import { anchor } from './anchor/index.ts';
import { browserbase } from './browserbase/index.ts';
import { browserless } from './browserless/index.ts';
import { gateway } from './gateway.ts';
import { localChrome } from './localChrome.ts';

/**
 * Every provider this extension knows, in the order in which they are offered. It cannot reach package.json: what depends
 * on a provider (prompts, menus, capabilities) is made from these objects while the extension runs.
 */
export const providerKinds: readonly ProviderKind[] = [anchor, browserbase, browserless, gateway, localChrome];
