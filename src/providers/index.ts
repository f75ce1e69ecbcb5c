import type { ProviderKind } from '../core/provider.ts';
import { anchor } from './anchor/index.ts';
import { browserbase } from './browserbase/index.ts';
import { browserless } from './browserless/index.ts';
import { gateway } from './gateway.ts';
import { thisMachine } from './local/thisMachine.ts';
import { localChrome } from './localChrome.ts';

/**
 * Every built-in provider, in the order they are offered. package.json can't be derived from this list: everything that
 * depends on a provider (prompts, menus, capabilities) is made from these objects at run time.
 */
export const providerKinds: readonly ProviderKind[] = [
  anchor,
  browserbase,
  browserless,
  gateway,
  localChrome,
  thisMachine,
];
