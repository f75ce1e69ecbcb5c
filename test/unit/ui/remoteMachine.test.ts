import { strict as assert } from 'node:assert';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineId } from '../../../src/local/machineId.ts';
import { remoteMachine } from '../../../src/ui/remoteMachine.ts';
import { temporaryFolder } from '../../host/processes.ts';

describe('what identifies a remote machine', () => {
  const machine = (folder: string, host = 'ubuntu') =>
    remoteMachine({ remoteName: 'ssh-remote', env: {}, host }, () => machineId(folder));

  it('is the same in each window of a machine, and another for a machine with the same name', () => {
    const [one, other] = [temporaryFolder('one'), temporaryFolder('other')];
    const first = machine(one);
    assert.match(first ?? '', /^ssh-remote ubuntu [\da-f-]{36}$/);
    assert.equal(machine(one), first);
    assert.notEqual(machine(other), first);
    assert.notEqual(machine(one, 'debian'), first, 'machines may share a home folder');
    assert.deepEqual(readdirSync(one), ['machine-id']);
  });

  it('is created with its folder', () => {
    const folder = join(temporaryFolder('none'), 'storage');
    assert.equal(machine(folder), machine(folder));
  });

  it('is another one each time where nothing can be written or something else was', () => {
    const file = join(temporaryFolder('file'), 'file');
    writeFileSync(file, '');
    assert.notEqual(machine(file), machine(file));
    const folder = temporaryFolder('damaged');
    writeFileSync(join(folder, 'machine-id'), 'x');
    assert.notEqual(machine(folder), machine(folder));
  });

  it('is undefined in a local window and in VS Code for the Web, and needs no file there', () => {
    const none = () => assert.fail('nothing is read');
    for (const remoteName of [undefined, 'localhost:8080'])
      assert.equal(remoteMachine({ remoteName, env: {}, host: 'ubuntu' }, none), undefined);
  });
});
