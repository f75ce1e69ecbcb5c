import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { knownSecrets, redactedCause, redactor } from '../../../src/core/redact.ts';

describe('redactor', () => {
  it('removes secrets as they are, URL-encoded and in Base64', () => {
    const secret = 'sk-1+2/3=4';
    const redact = redactor([secret]);
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
      Buffer.from(`${secret}:`).toString('base64'),
    ]) {
      assert.equal(redact(`a ${form} b`).includes(form.replace(/=+$/, '')), false, form);
    }
  });

  it('removes values named like a secret even if they aren’t known as secrets', () => {
    const redact = redactor([]);
    assert.equal(redact('wss://h/?apiKey=abc&x=1'), 'wss://h/?apiKey=•••&x=1');
    assert.equal(redact('{"token":"abc","a":1}'), '{"token":"•••","a":1}');
    assert.equal(redact('authorization: Bearer abc.def'), 'authorization: •••');
    assert.equal(redact('https://me:pw@host/x'), 'https://•••@host/x');
    for (const name of 'apikey api-key API_KEY access-token access_token accessToken Token'.split(' ')) {
      assert.equal(redact(`?${name}=abc&x=1`), `?${name}=•••&x=1`);
    }
    for (const name of 'signing-key signing_key signingKey authorization Password secret'.split(' ')) {
      assert.equal(redact(`?${name}=abc&x=1`), `?${name}=•••&x=1`);
    }
    for (const scheme of ['Bearer ', 'bearer   ', 'Basic ', 'basic   ', '']) {
      assert.equal(redact(`authorization: ${scheme}abc.def!`), 'authorization: •••', scheme);
    }
    assert.equal(redact('the api/key=abc, a signing+key=abc'), 'the api/key=abc, a signing+key=abc');
  });

  it('removes a secret that holds what looks like an escape, and is itself escaped', () => {
    const secret = '%2a"<\\%15key&#65;';
    const { hide } = knownSecrets([secret]);
    const inHtml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    for (const form of [JSON.stringify(secret).slice(1, -1), inHtml]) {
      assert.equal(hide(`Error: ${form}.`), 'Error: •••.', form);
    }
  });

  it('removes a secret that holds what looks like an escape of one kind, and is escaped in another way', () => {
    for (const [secret, written] of [
      ['abcdefgh%41&ijklmnop', 'abcdefgh%41\\u0026ijklmnop'],
      ['abcdefgh%41/ijklmnop', 'abcdefgh%41\\/ijklmnop'],
      ['abcdefgh%41"ijklmnop', 'abcdefgh%41&#34;ijklmnop'],
      ['abcdefgh&amp/ijklmnop', 'abcdefgh&amp%2fijklmnop'],
    ] as const) {
      assert.equal(knownSecrets([secret]).hide(`Error: ${written}.`), 'Error: •••.', written);
    }
  });

  it('removes a secret whose characters are written by their names in HTML', () => {
    const names = {
      ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", excl: '!', num: '#', dollar: '$', percnt: '%' },
      ...{ lpar: '(', rpar: ')', ast: '*', midast: '*', plus: '+', comma: ',', period: '.', sol: '/', colon: ':' },
      ...{ hyphen: '-', semi: ';', equals: '=', quest: '?', commat: '@', lsqb: '[', lbrack: '[', bsol: '\\' },
      ...{ rsqb: ']', rbrack: ']', hat: '^', lowbar: '_', underbar: '_', grave: '`', diacriticalgrave: '`' },
      ...{ lcub: '{', lbrace: '{', verbar: '|', vert: '|', verticalline: '|', rcub: '}', rbrace: '}' },
      // These make no difference.
      ...{ nbsp: '', shy: '', zwj: '', zwnj: '', tab: '', newline: '' },
    };
    for (const [name, character] of Object.entries(names)) {
      const { hide } = knownSecrets([`canary${character}key`]);
      assert.equal(hide(`a canary&${name};key b`), 'a ••• b', name);
    }
  });

  it('leaves no secret inside any surrounding text', () => {
    const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, canary, after) => {
        assert.ok(!redactor([canary])(before + canary + after).includes(canary) || '•••'.includes(canary));
      }),
      { numRuns: 1_000 },
    );
  });

  const key = 'sk-Live_1+2/3=4"5&6-abcdefghij';

  it('finds the beginning of a secret that was cut at the end of a text, in any encoding', () => {
    const { hide, redact } = knownSecrets([key]);
    const escapedBy = (write: (code: string) => string) =>
      [...key].map((character) => write(character.charCodeAt(0).toString(16))).join('');
    const forms = [
      key,
      encodeURIComponent(key),
      JSON.stringify(key).slice(1, -1),
      Buffer.from(key).toString('base64'),
      escapedBy((code) => `%${code}`),
      escapedBy((code) => `\\u00${code}`),
      escapedBy((code) => `&#x${code};`),
    ];
    for (const form of forms) {
      for (let length = 1; length < form.length; length++) {
        for (const after of ['', '…']) {
          const text = `It says ${form.slice(0, length)}${after}`;
          for (const shown of [hide(text), redact(text)]) {
            const left = shown.replace(/•••.*$/, '').replace('It says ', '');
            assert.ok(left.length < 9 * 6, shown);
            assert.equal(hide(shown), shown);
          }
        }
      }
      assert.equal(hide(`It says ${form.slice(0, Math.ceil(form.length * 0.7))}`), 'It says •••');
    }
    assert.equal(hide(`It says ${key.slice(0, 7)}`), `It says ${key.slice(0, 7)}`);
    assert.equal(hide(`${key.slice(0, 12)} is how it begins`), `${key.slice(0, 12)} is how it begins`);
  });

  it('removes a secret next to URL-encoded bytes that aren’t UTF-8', () => {
    const { hide } = knownSecrets([key]);
    const encoded = key.replace(/./g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
    for (const [before, after] of [
      ['%FF', ''],
      ['caf%E9', ''],
      ['', '%E9'],
      ['%E2%82', '%C3'],
    ]) {
      assert.equal(hide(`${before}${encoded}${after}`), `${before}•••${after}`);
    }
  });

  it('removes a name and password of Basic authentication in UTF-8 or Latin-1, however a server encodes them', () => {
    const passwords = ['pässwörd-geheim', 'Ünïcödé-Schlüssel', 'correct horse battery'];
    for (const password of passwords) {
      for (const encoding of ['utf8', 'latin1'] as const) {
        const { hide } = knownSecrets([`Basic ${Buffer.from(`me:${password}`, encoding).toString('base64')}`]);
        const percent = (bytes: Buffer) => [...bytes].map((byte) => `%${byte.toString(16)}`).join('');
        for (const text of [
          password,
          password.normalize('NFD'),
          Buffer.from(password).toString('latin1'),
          new URLSearchParams({ q: password }).toString().slice(2),
          percent(Buffer.from(password)),
          percent(Buffer.from(password, 'latin1')),
        ]) {
          assert.equal(hide(text), '•••', `${encoding} ${text}`);
        }
        for (const bytes of [Buffer.from(`me:${password}`), Buffer.from(`me:${password}`, 'latin1')]) {
          assert.match(hide(bytes.toString('base64')), /^.{0,4}•••.{0,4}$/u, encoding);
        }
      }
    }
  });

  it('keeps only a readable length of a text of several megabytes', () => {
    const { hide } = knownSecrets([key]);
    const hidden = hide(key + 'x%41é'.repeat(2 ** 20));
    assert.ok(hidden.startsWith('•••x%41') && hidden.length < 20_000);
  });

  it('finds a secret in any letter case, with anything inserted between its characters', () => {
    const { redact, hide } = knownSecrets([key]);
    for (const between of [
      '\u200b',
      '\u00ad',
      '\ufeff',
      '\u202e',
      '\ufe0f',
      '\u3164',
      '\u034f',
      '\u0301',
      '\n',
      ' ',
      '\0',
    ]) {
      for (const text of [key.split('').join(between), `${key.slice(0, 9)}${between}${key.slice(9)}`]) {
        assert.equal(redact(`the key ${text} is bad`), 'the key ••• is bad', JSON.stringify(between));
        assert.equal(hide(`${text}`), '•••', JSON.stringify(between));
      }
    }
    assert.equal(redact(`${key.toUpperCase()} and ${key.toLowerCase()}`), '••• and •••');
    const password = 'schlüssel-ключ-ÉCOLE';
    const others = redactor([password]);
    assert.equal(others(`${password.toUpperCase()} and ${password.toLowerCase()}`), '••• and •••');
    // Showing other invisible characters is the job of other code.
    assert.equal(hide(`a\u200bb ${key} c\u200bd`), 'a\u200bb ••• c\u200bd');
    assert.equal(redact('a\u200bb'), 'a\u200bb');
    assert.equal(redact('to\u200bken=abc'), 'token=•••');
  });

  it('removes a secret as URLs, JSON and HTML escape it, partly or fully', () => {
    const { hide } = knownSecrets([key]);
    const every = (write: (code: number) => string) => key.replace(/./g, (one) => write(one.charCodeAt(0)));
    const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
    for (const text of [
      encodeURIComponent(key),
      encodeURIComponent(key).toLowerCase(),
      encodeURIComponent(encodeURIComponent(key)),
      encodeURI(key),
      new URLSearchParams({ q: key }).toString().slice(2),
      JSON.stringify(key).slice(1, -1),
      JSON.stringify(key).slice(1, -1).replaceAll('/', '\\/'),
      JSON.stringify(key).slice(1, -1).replaceAll('+', '\\u002B'),
      key.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
      every((code) => `%${hex(code, 2)}`),
      every((code) => `\\u${hex(code, 4)}`),
      every((code) => `&#${code}`),
      every((code) => `&#000000${code};`),
      every((code) => `&#x0000${hex(code, 2)};`),
      key.replaceAll('+', '&plus;').replaceAll('/', '&sol;').replaceAll('=', '&equals;').replaceAll('_', '&lowbar;'),
      JSON.stringify(JSON.stringify(key).replaceAll('/', '\\/')).slice(3, -3),
      every((code) => `&#${code};`),
      every((code) => `&#x${hex(code, 2)};`),
      `${key.slice(0, 5)}%E2%80%8B${key.slice(5)}`,
      `${key.slice(0, 5)}\\u200b${key.slice(5)}`,
    ]) {
      assert.equal(hide(`a ${text} b`), 'a ••• b', text);
    }
    const marked = `<a href='b'>&"0123456789`;
    for (const name of ['&apos;', '&#39;', '&#X27;']) {
      const html = marked.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&GT;');
      const text = html.replaceAll("'", name).replaceAll('"', '&quot;');
      assert.equal(knownSecrets([marked]).hide(`a ${text} b`), 'a ••• b', text);
    }
    // Something that isn't an escape next to one that is.
    assert.equal(hide(`%ff \\u00 ${encodeURIComponent(key)} %fe`), '%ff \\u00 ••• %fe');
    for (const text of ['100%', '50%25', 'a\\b', 'AT&T', '%zz &bogus; \\u12', '%ff%fe']) assert.equal(hide(text), text);
  });

  it('removes a secret from Base64, alone or within other encoded text, in both alphabets', () => {
    const { hide } = knownSecrets([key]);
    for (const before of ['', 'u', 'me', 'me:', 'user:']) {
      for (const after of ['', ':', ':x', 'tail']) {
        for (const encoding of ['base64', 'base64url'] as const) {
          const redacted = hide(Buffer.from(before + key + after).toString(encoding));
          assert.match(redacted, /•••/, before + after);
          // At either end a character may remain that shares bits with its neighbors.
          assert.ok(redacted.replace('•••', '').length <= before.length * 2 + after.length * 2 + 6, redacted);
        }
      }
    }
    const lines =
      Buffer.from(`user:${key}`)
        .toString('base64')
        .match(/.{1,16}/g) ?? [];
    assert.match(hide(lines.join('\r\n')), /^.{0,8}•••.{0,2}$/);
  });

  it('removes a secret from Base64 in the URL alphabet', () => {
    const odd = '~~~???>>>~~~???';
    const { hide } = knownSecrets([odd]);
    const [plain, forUrls] = [Buffer.from(odd).toString('base64'), Buffer.from(odd).toString('base64url')];
    assert.match(plain, /\+.*\//);
    assert.match(forUrls, /-.*_/);
    assert.deepEqual([hide(plain), hide(forUrls)], ['•••', '•••']);
  });

  it('doesn’t mistake Base64 for a secret that is too short', () => {
    // The Base64 of the first has five characters of its own, and that of the other has eight.
    assert.equal(knownSecrets(['abcd']).hide('a YWJjZA b'), 'a YWJjZA b');
    assert.equal(knownSecrets(['abcdef']).hide('a YWJjZGVm b'), 'a ••• b');
  });

  it('leaves nothing of overlapping secrets', () => {
    assert.equal(knownSecrets(['xyxyxyxy']).hide('a xyxyxyxyxy b'), 'a ••• b');
  });

  it('recognizes the value behind a scheme, and the name and password of Basic authentication', () => {
    const pair = 'gateway-user:pass:word-0123';
    const basic = Buffer.from(pair).toString('base64');
    for (const [secret, forms] of [
      ['Bearer abc.DEF-0123456789', ['abc.DEF-0123456789', 'Bearer abc.DEF-0123456789']],
      ['bearer  abc.DEF-0123456789', ['abc.DEF-0123456789']],
      ['Token token="abcdef0123456789"', ['abcdef0123456789']],
      ['Token token=abcdef0123456789', ['abcdef0123456789', 'token=abcdef0123456789']],
      ['ApiKey abcdef0123456789', ['abcdef0123456789']],
      [`Basic ${Buffer.from(':only-a-password').toString('base64')}`, ['only-a-password']],
      [`Basic ${Buffer.from('no-colon-in-it').toString('base64')}`, ['bm8tY29sb24taW4taXQ=']],
      [`Basic ${basic}`, [basic, pair, 'gateway-user', 'pass:word-0123', encodeURIComponent('pass:word-0123')]],
      [`basic ${pair}`, [pair, 'gateway-user', 'pass:word-0123']],
      [`Basic ${Buffer.from(`${key}:`).toString('base64')}`, [key]],
    ] as const) {
      const { hide, redact } = knownSecrets([secret]);
      for (const form of forms) {
        assert.equal(hide(`it said ${form} to us`), 'it said ••• to us', `${secret}: ${form}`);
        assert.ok(!redact(`it said ${form} to us`).includes(form), form);
      }
    }
    assert.equal(knownSecrets(['Bearer abc.DEF-0123456789']).hide('the bearer of news'), 'the bearer of news');
  });

  it('leaves no tail of a secret that begins with another secret', () => {
    for (const secrets of [
      ['abcd', 'abcd-efgh-ijkl'],
      ['abcd-efgh-ijkl', 'abcd'],
      ['abcd-efgh', 'efgh-ijkl'],
    ]) {
      assert.equal(redactor(secrets)('x abcd-efgh-ijkl y').replace(/^x •••( y|-ijkl y)$/, 'ok'), 'ok', secrets.join());
    }
    assert.equal(redactor(['abcd-efgh', 'efgh-ijkl'])('x abcd-efgh-ijkl y'), 'x ••• y');
  });

  it('leaves ordinary text alone when there is no secret, or only one that is too short', () => {
    for (const secrets of [[], [''], ['abc'], ['Bearer x'], ['   ']]) {
      const { hide, redact, isIn } = knownSecrets(secrets);
      assert.equal(hide('abc x token=1'), 'abc x token=1');
      assert.equal(redact('abc x'), 'abc x');
      assert.equal(isIn('abc'), false);
    }
  });

  it('doesn’t treat blanks as a secret, and knows whether there is any secret', () => {
    for (const blanks of ['    ', '\u200b\u200b\u200b\u200b']) {
      const { hide, isIn } = knownSecrets([blanks]);
      assert.deepEqual([hide(`a${blanks}b c`), isIn(''), isIn(blanks)], [`a${blanks}b c`, false, false]);
    }
    assert.deepEqual(
      [[], ['abc'], ['abcd'], [key]].map((secrets) => knownSecrets(secrets).isEmpty),
      [true, true, false, false],
    );
  });

  it('tells whether an id is or contains a secret, which a short one may by chance', () => {
    const { isIn } = knownSecrets(['Bearer abcdef0123456789', 'dead-beef']);
    for (const id of [
      'abcdef0123456789',
      'ABCDEF0123456789',
      'x-abcdef0123456789-y',
      'dead-beef',
      'd-abcdef01\u200b23456789',
    ]) {
      assert.ok(isIn(id), id);
    }
    for (const id of ['abcdef012345678', '00dead-beef00', 'x']) assert.ok(!isIn(id), id);
  });

  it('keeps only a cause’s code and message, without secrets', () => {
    const { redact } = knownSecrets([key]);
    const cause = Object.assign(new Error(`getaddrinfo ENOTFOUND ${key}.example`, { cause: key }), {
      code: 'ENOTFOUND',
      key,
    });
    const kept = redactedCause(cause, redact);
    assert.equal(kept?.message, 'ENOTFOUND getaddrinfo ENOTFOUND •••.example');
    assert.deepEqual([kept.cause, Object.keys(kept)], [undefined, []]);
    assert.ok(!kept.stack?.includes(key));
    assert.equal(redactedCause(key, redact), undefined);
    assert.equal(redactedCause(new Error('it broke'), redact)?.message, 'it broke');
    assert.equal(redactedCause(Object.assign(new Error('it broke'), { code: 5 }), redact)?.message, 'it broke');
  });

  it('reads a text of a million letters once, not once per letter', function () {
    // Takes less than a second. Sorting the combining marks would take ten.
    this.timeout(5_000);
    const redact = redactor(['canary-0123']);
    const marks = `%41&amp;\\"${'\u0345'.repeat(2_040)}${'\u0334'.repeat(2_040)}`;
    for (let title = 0; title < 150; title++) redact(marks);
    for (const part of ['a', 'token', 'token=', 'token ', 'bearer ', '://', 'a@', 'password="']) {
      redact(part.repeat(1_000_000 / part.length));
    }
    assert.equal(redact('see https://anna:canary@host/'), 'see https://•••@host/');
  });
});
