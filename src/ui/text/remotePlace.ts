import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import { isAddress, type RemoteWindow } from '../remoteMachine.ts';

/** The machine of a remote window, e.g. `WSL: Ubuntu`; undefined in a local window or if it has no name. */
export function remotePlace({ remoteName, env, host }: RemoteWindow): string | undefined {
  const named = (kind: string, name: string | undefined) => {
    const its = plainText(name ?? '', 40);
    return its === '' ? kind : `${kind}: ${its}`;
  };
  switch (remoteName) {
    case undefined:
      return undefined;
    case 'wsl':
      return named('WSL', env['WSL_DISTRO_NAME']);
    case 'ssh-remote':
      return named('SSH', host);
    case 'tunnel':
      return named(l10n.t('Tunnel'), host);
    case 'codespaces':
      return named('Codespaces', env['CODESPACE_NAME']);
    case 'dev-container':
    case 'attached-container':
    case 'k8s-container':
      return named(l10n.t('Container'), host);
    default:
      return isAddress(remoteName) ? undefined : remoteName;
  }
}
