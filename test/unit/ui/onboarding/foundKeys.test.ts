import { strict as assert } from 'node:assert';
import { largestEnvFile } from '../../../../src/local/envFiles.ts';
import { providerKinds } from '../../../../src/providers/index.ts';
import { findKeys, type VariableSource, variablesIn } from '../../../../src/ui/onboarding/foundKeys.ts';
import { maskedKey } from '../../../../src/ui/onboarding/importKeys.ts';
import { ownTimeOf } from '../../../host/ownTime.ts';

const find = (...sources: readonly VariableSource['variables'][]) =>
  findKeys(
    providerKinds,
    sources.map((variables, index) => ({ name: `source ${index}`, variables })),
  );
const shown = (...sources: readonly VariableSource['variables'][]) =>
  find(...sources).keys.map(({ kind, variable, secret, origin }) => [kind.id, variable, secret, origin]);

describe('the variables in a .env file', () => {
  it('are read with quotes, comments, export, Windows line ends and a byte order mark', () => {
    const text = [
      '\ufeffANCHOR_API_KEY=first',
      '# BROWSERLESS_TOKEN=comment',
      'export BROWSERBASE_API_KEY="quoted # not a comment" # a comment',
      "BROWSERLESS_API_KEY='single'",
      '  ANCHORBROWSER_API_KEY = spaces  ',
      '',
    ].join('\r\n');
    assert.deepEqual(
      { ...variablesIn(text).variables },
      {
        ANCHOR_API_KEY: 'first',
        BROWSERBASE_API_KEY: 'quoted # not a comment',
        BROWSERLESS_API_KEY: 'single',
        ANCHORBROWSER_API_KEY: 'spaces',
      },
    );
  });

  it('are read in less than half a second, whatever the largest allowed file contains', () => {
    for (const part of ['\\n', "a='\n", 'a="\n', 'A=b\n', ' ', '=', '\n', '#']) {
      for (const quote of ['', '"', "'"]) {
        const text = `A=${quote}${part.repeat(largestEnvFile / part.length)}${quote}`;
        const ms = ownTimeOf(() => variablesIn(text));
        assert.ok(ms < 500, `${JSON.stringify(quote + part)}: ${Math.round(ms)} ms`);
      }
    }
  });

  it('are found among 10,000 lines in less than half a second', () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => `NAME_${at}="value ${at}" # '`);
    lines[5_000] = 'ANCHOR_API_KEY=in-the-middle';
    const text = lines.join('\r\n');
    const ms = ownTimeOf(() => assert.equal(variablesIn(text).variables['ANCHOR_API_KEY'], 'in-the-middle'));
    assert.ok(ms < 500, `${ms} ms`);
  });

  it('don’t exist in garbage, which is read just as fast', () => {
    for (const text of [
      '',
      '=',
      '"',
      '=\n'.repeat(1_000),
      '"'.repeat(100_000),
      "A='".repeat(30_000),
      '\u0001\ufffd=x',
    ]) {
      const ms = ownTimeOf(() => assert.deepEqual(shown(variablesIn(text).variables), [], text.slice(0, 20)));
      assert.ok(ms < 500, text.slice(0, 20));
    }
  });
});

describe('the keys in variables', () => {
  it('belong to the provider that reads such a variable, at its own address', () => {
    assert.deepEqual(
      shown({ ANCHOR_API_KEY: 'a-key', BROWSERBASE_API_KEY: 'b-key', OTHER_API_KEY: 'x', PATH: '/bin' }),
      [
        ['anchor', 'ANCHOR_API_KEY', 'a-key', 'https://api.anchorbrowser.io'],
        ['browserbase', 'BROWSERBASE_API_KEY', 'b-key', 'https://api.browserbase.com'],
      ],
    );
  });

  it('are found once when several names or files hold the same key', () => {
    const { keys } = find(
      { ANCHOR_API_KEY: 'same', ANCHORBROWSER_API_KEY: 'same' },
      { ANCHOR_API_KEY: 'same' },
      { ANCHOR_API_KEY: 'other' },
    );
    assert.deepEqual(
      keys.map(({ secret, sources }) => [secret, sources]),
      [
        ['same', ['source 0', 'source 1']],
        ['other', ['source 2']],
      ],
    );
  });

  it('are certainly for the provider’s own address only if nothing names another one for it', () => {
    const certain = (...sources: readonly VariableSource['variables'][]) =>
      find(...sources).keys.map(({ kind, isForProvider }) => [kind.id, isForProvider]);
    const key = { ANCHOR_API_KEY: 'a-key', BROWSERBASE_API_KEY: 'b-key' };
    assert.deepEqual(certain(key), [
      ['anchor', true],
      ['browserbase', true],
    ]);
    for (const address of ['https://staging.example', 'http://not-encrypted.example']) {
      assert.deepEqual(certain(key, { ANCHORBROWSER_BASE_URL: address }), [
        ['anchor', false],
        ['browserbase', true],
      ]);
    }
    assert.deepEqual(certain({ ANCHORBROWSER_BASE_URL: 'https://api.anchorbrowser.io/' }, key), [
      ['anchor', true],
      ['browserbase', true],
    ]);
    assert.deepEqual(certain({ BROWSERLESS_TOKEN: 'token' }), [['browserless', false]]);
  });

  it('come with the project that the same file names', () => {
    const [key] = find({ BROWSERBASE_API_KEY: 'key', BROWSERBASE_PROJECT_ID: 'project' }).keys;
    assert.deepEqual(key?.credentials, { apiKey: 'key', projectId: 'project' });
  });

  it('are meant for the address beside them, and never for one of another file', () => {
    const { keys } = find(
      { BROWSERBASE_BASE_URL: 'https://elsewhere.example', BROWSERLESS_API_URL: 'https://evil.example' },
      { BROWSERBASE_API_KEY: 'key', BROWSERLESS_TOKEN: 'token' },
      { BROWSERBASE_API_KEY: 'mine', BROWSERBASE_BASE_URL: 'https://proxy.example/' },
      { BROWSERLESS_TOKEN: 'own', BROWSERLESS_URL: 'ws://localhost:3000' },
    );
    assert.deepEqual(
      keys.map(({ secret, origin, addressVariable }) => [secret, origin, addressVariable]),
      [
        ['key', 'https://api.browserbase.com', undefined],
        ['token', undefined, undefined],
        ['mine', 'https://proxy.example', 'BROWSERBASE_BASE_URL'],
        ['own', 'http://localhost:3000', 'BROWSERLESS_URL'],
      ],
    );
  });

  it('aren’t offered at all when the address beside them can’t be used', () => {
    for (const [address, fault] of [
      ['http://proxy.example', 'notEncrypted'],
      ['https://a@proxy.example', 'credentials'],
      ['proxy.example', 'notAUrl'],
      [`\${PROXY}`, 'notAUrl'],
    ]) {
      const { keys, faults } = find({ BROWSERBASE_API_KEY: 'key', BROWSERBASE_BASE_URL: address });
      assert.deepEqual(keys, []);
      assert.deepEqual(faults, [{ variable: 'BROWSERBASE_BASE_URL', source: 'source 0', address: fault }]);
    }
  });

  it('aren’t offered at all when other programs may read an address beside them', () => {
    const address = 'https://proxy.example';
    const lines = [
      `ANCHORBROWSER_BASE_URL: ${address}`,
      `ANCHORBROWSER_BASE_URL=\nANCHORBROWSER_BASE_URL: ${address}`,
      `export\tANCHORBROWSER_BASE_URL=${address}`,
      `\ufeffANCHORBROWSER_BASE_URL=${address}`,
      `NOTE='tis the season\nANCHORBROWSER_BASE_URL=${address}\nOTHER='tis over`,
      `export A=1 ANCHORBROWSER_BASE_URL=${address}`,
      `A=1; ANCHORBROWSER_BASE_URL=${address}`,
      `declare -x ANCHORBROWSER_BASE_URL=${address}`,
      `ANCHORBROWSER_BASE_\\\nURL=${address}`,
      `# C:\\\nANCHORBROWSER_BASE_URL: ${address}`,
      `ANCHORBROWSER_BASE_URL+=${address}`,
      `: \${ANCHORBROWSER_BASE_URL:=${address}}`,
      `'ANCHORBROWSER_BASE_URL'=${address}`,
      `A='' "ANCHORBROWSER_BASE_URL" = ${address}`,
      `export "ANCHORBROWSER_BASE_URL=${address}"`,
      `export ANCHOR"BROWSER_BASE_URL"=${address}`,
      `eval 'ANCHORBROWSER_BASE_URL=${address}'`,
      `read ANCHORBROWSER_BASE_URL <<< ${address}`,
      `printf -v ANCHORBROWSER_BASE_URL ${address}`,
      `NOTE="a # b"; ANCHORBROWSER_BASE_URL=${address}`,
      `NOTE="a # \${ANCHORBROWSER_BASE_URL:=${address}}"`,
    ];
    for (const line of lines) {
      const source = { name: '.env', ...variablesIn(`ANCHOR_API_KEY=key\n${line}`) };
      const { keys, faults } = findKeys(providerKinds, [source]);
      assert.deepEqual(keys, [], line);
      assert.deepEqual(faults, [{ variable: 'ANCHORBROWSER_BASE_URL', source: '.env', address: 'unread' }]);
    }
    for (const line of [
      '# ANCHORBROWSER_BASE_URL: x',
      'NOTE=1 # without ANCHORBROWSER_BASE_URL',
      'export ANCHORBROWSER_BASE_URL ANCHOR_API_KEY',
      'MY_ANCHORBROWSER_BASE_URL=x',
      'ANCHORBROWSER_BASE_URL=',
      'OTHER=$ANCHORBROWSER_BASE_URL',
      `OTHER=\${ANCHORBROWSER_BASE_URL:-x}`,
    ]) {
      const source = { name: '.env', ...variablesIn(`${line}\nANCHOR_API_KEY=key`) };
      assert.deepEqual(findKeys(providerKinds, [source]).faults, [], line);
      assert.equal(findKeys(providerKinds, [source]).keys.length, 1);
    }
  });

  it('aren’t read together with another variable of the same line', () => {
    for (const line of [
      'ANCHOR_API_KEY=sk_1;DB_PASSWORD=x',
      'ANCHOR_API_KEY=sk_1&&export DB_PASSWORD=x',
      'ANCHOR_API_KEY=sk_1 A=x',
    ]) {
      const { keys, faults } = findKeys(providerKinds, [{ name: '.env', ...variablesIn(line) }]);
      assert.deepEqual([keys, faults.map(({ variable }) => variable)], [[], ['ANCHOR_API_KEY']], line);
    }
  });

  it('are read from a file whose lines end with carriage returns, with the address beside them', () => {
    const text = 'ANCHOR_API_KEY=key\rANCHORBROWSER_BASE_URL=https://proxy.example\rA=b';
    const { keys } = findKeys(providerKinds, [{ name: '.env', ...variablesIn(text) }]);
    assert.deepEqual(
      keys.map(({ secret, origin }) => [secret, origin]),
      [['key', 'https://proxy.example']],
    );
  });

  it('exclude values that only refer to a key, and values that no request can carry', () => {
    for (const value of [`\${OTHER}`, '$(pass show key)', 'clé', 'a\nb', 'key OTHER=x', 'x'.repeat(5_000)]) {
      const { keys, faults } = find({ ANCHOR_API_KEY: value });
      assert.deepEqual(keys, [], value.slice(0, 20));
      assert.deepEqual(faults, [{ variable: 'ANCHOR_API_KEY', source: 'source 0', address: undefined }]);
    }
    assert.deepEqual(shown({ ANCHOR_API_KEY: '  ', BROWSERLESS_TOKEN: '' }), []);
  });

  it('are shown with their last four characters at most, and short ones with none', () => {
    assert.equal(maskedKey('bb_live_0123456789wxyz'), '••••wxyz');
    assert.equal(maskedKey('fifteen-letters'), '••••');
    assert.equal(maskedKey(''), '••••');
  });
});
