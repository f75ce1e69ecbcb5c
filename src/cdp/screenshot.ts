import * as v from 'valibot';
import type { SessionDevtools } from '../core/cdp.ts';
import type { PageId } from '../core/ids.ts';
import type { Screenshot } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { PageTargets } from './pageTargets.ts';

const Attached = v.object({ sessionId: v.string() });
const Shot = v.object({ data: v.string() });

/**
 * Takes a picture of a session's page, or of the one that was opened last, at its full size.
 * @throws ProviderError `notFound` where there is no such page, and as `CdpConnection.send` does.
 */
export async function takeScreenshot(
  devtools: SessionDevtools,
  page: PageId | undefined,
  signal: AbortSignal,
): Promise<Screenshot> {
  const { connection } = devtools;
  const targets = new PageTargets(devtools);
  try {
    await targets.discover(signal);
    const shown = page === undefined ? targets.all.at(-1) : targets.all.find(({ id }) => id === page);
    if (shown === undefined) throw new ProviderError({ kind: 'notFound' }, 'the session has no such page');
    const attach = { targetId: shown.id, flatten: true };
    const { sessionId } = v.parse(Attached, await connection.send('Target.attachToTarget', attach, signal));
    const shot = await connection.send('Page.captureScreenshot', { format: 'png' }, signal, sessionId);
    return { bytes: Buffer.from(v.parse(Shot, shot).data, 'base64'), type: 'image/png' };
  } catch (error) {
    throw ProviderError.from(error);
  } finally {
    targets.dispose();
  }
}
