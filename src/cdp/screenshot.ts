import type { SessionDevtools } from '../core/cdp.ts';
import type { PageId } from '../core/ids.ts';
import type { Screenshot } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { read, Shot } from './answers.ts';
import { PageTargets } from './pageTargets.ts';
import { sendCommand } from './protocol.ts';

/**
 * Takes a screenshot of a session's page, or of the last of `PageTargets.all`, at its full size.
 * @throws ProviderError `notFound` if there is no such page, and as `CdpConnection.send` does.
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
    const target = await targets.attach(shown.id, signal);
    const shot = await sendCommand(connection, 'Page.captureScreenshot', { format: 'png' }, signal, target);
    return { bytes: Buffer.from(read(Shot, shot).data, 'base64'), type: 'image/png' };
  } finally {
    targets.dispose();
  }
}
