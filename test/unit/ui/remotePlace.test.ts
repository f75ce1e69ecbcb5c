import { strict as assert } from 'node:assert';
import { remotePlace } from '../../../src/ui/text/remotePlace.ts';

describe('the machine of a remote window', () => {
  const place = (remoteName: string | undefined, env: NodeJS.ProcessEnv = {}) =>
    remotePlace({ remoteName, env, host: 'build-7' });

  it('is named by its kind and its own name', () => {
    assert.equal(place('wsl', { WSL_DISTRO_NAME: 'Ubuntu' }), 'WSL: Ubuntu');
    assert.equal(place('wsl'), 'WSL');
    assert.equal(place('ssh-remote'), 'SSH: build-7');
    assert.equal(place('tunnel'), 'Tunnel: build-7');
    assert.equal(place('dev-container'), 'Container: build-7');
    assert.equal(place('attached-container'), 'Container: build-7');
    assert.equal(place('codespaces', { CODESPACE_NAME: 'fluffy-train' }), 'Codespaces: fluffy-train');
    assert.equal(place('acme-remote'), 'acme-remote');
  });

  it('isn’t named in a local window, or if its name is only an address', () => {
    assert.equal(place(undefined), undefined);
    assert.equal(place('localhost:8080'), undefined);
  });
});
