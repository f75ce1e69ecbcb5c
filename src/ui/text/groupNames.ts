import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import { isValueGroupId, type ListGroup } from '../../services/sessions/grouping.ts';
import { shortId } from './names.ts';

/** A group's name, otherwise its short id. */
export function groupName({ id, kind, name }: ListGroup): string {
  if (kind === 'status') return statusName(name ?? '');
  const fallback = () => (isValueGroupId(id) ? l10n.t('Unnamed group') : l10n.t('Batch {0}', shortId(id)));
  return plainText(name ?? '') || fallback();
}

/** The name of a group of sessions that have the same status. */
function statusName(status: string): string {
  switch (status) {
    case 'starting':
      return l10n.t('Starting');
    case 'running':
      return l10n.t('Running');
    case 'idle':
      return l10n.t('Idle');
    case 'ending':
      return l10n.t('Ending');
    default:
      return plainText(status);
  }
}
