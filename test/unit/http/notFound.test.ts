import { strict as assert } from 'node:assert';
import * as v from 'valibot';
import { systemClock } from '../../../src/core/clock.ts';
import { openHttpClient, openTransport } from '../../../src/http/client.ts';
import { neverNotFound, notFoundLike } from '../../../src/http/notFound.ts';
import { outages, type ProviderAnswer, ProviderServer } from '../../servers/providerServer.ts';
import { errorOf } from '../errors.ts';
import { plainNetwork, RecordingLog, unaborted } from '../testNetwork.ts';

describe('a 404 or 410', () => {
  let server: ProviderServer;
  const isOwnNotFound = notFoundLike(v.object({ error: v.literal('No such thing') }), v.literal('No such thing'));

  beforeEach(async () => {
    server = await new ProviderServer({ routes: {}, notFound: () => ({ status: 404 }) }).start();
  });
  afterEach(() => server.stop());

  async function troubleOf(answer: ProviderAnswer, own: ((said: unknown) => boolean) | undefined) {
    server.outage = answer;
    const options = { transport: openTransport(plainNetwork('undici'), systemClock), clock: systemClock };
    const client = openHttpClient(new URL(server.url), [], {
      ...options,
      logger: new RecordingLog(),
      limits: {},
    });
    const request = { method: 'GET', route: '/things/1' } as const;
    const { trouble } = await errorOf(
      client.send(own === undefined ? request : { ...request, isOwnNotFound: own }, unaborted),
    );
    return trouble;
  }

  it('means “not found” in the provider’s own words, JSON or text', async () => {
    for (const status of [404, 410]) {
      for (const answer of [{ json: { error: 'No such thing' } }, { text: ' No such thing\n' }]) {
        assert.deepEqual(await troubleOf({ status, ...answer }, isOwnNotFound), { kind: 'notFound' });
      }
    }
  });

  it('is an unexpected response in any other words, such as a load balancer’s', async () => {
    for (const [what, page] of Object.entries(outages)) {
      const trouble = await troubleOf(page, isOwnNotFound);
      const said = `HTTP ${page.status} isn't documented there, so another server may have sent it`;
      assert.deepEqual(trouble, { kind: 'unexpectedAnswer', what: said }, what);
    }
    const page = { status: 404, headers: { 'content-type': 'text/html' }, text: 'No such thing' };
    assert.equal((await troubleOf(page, isOwnNotFound)).kind, 'unexpectedAnswer');
    assert.equal((await troubleOf({ status: 404, text: '{"error":' }, isOwnNotFound)).kind, 'unexpectedAnswer');
    assert.equal((await troubleOf({ status: 404, json: {} }, neverNotFound)).kind, 'unexpectedAnswer');
  });

  it('is an unexpected response when it is larger than any explanation', async () => {
    const said = { error: 'No such thing', more: 'x'.repeat(65_536) };
    assert.equal((await troubleOf({ status: 404, json: said }, isOwnNotFound)).kind, 'unexpectedAnswer');
    const text = `No such thing${' '.repeat(65_536)}`;
    assert.equal((await troubleOf({ status: 404, text }, isOwnNotFound)).kind, 'unexpectedAnswer');
  });

  it('means “not found” for a request with no expected wording, such as one for an address the user typed', async () => {
    for (const page of Object.values(outages)) assert.deepEqual(await troubleOf(page, undefined), { kind: 'notFound' });
  });
});
