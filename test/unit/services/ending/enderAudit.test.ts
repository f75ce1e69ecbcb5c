import { strict as assert } from 'node:assert';
import { type AccountId, sessionId } from '../../../../src/core/ids.ts';
import type { AccountSession, EndReport } from '../../../../src/services/ending/report.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../../servers/browserbase.ts';
import { type StagehandServer, startStagehand } from '../../../servers/stagehand.ts';
import { unaborted } from '../../testNetwork.ts';
import { TestServices } from '../testServices.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };

describe('the audit log of ends', function () {
  this.timeout(60_000);
  let anchor: AnchorServer;
  let browserbase: BrowserbaseServer;
  let stagehand: StagehandServer;
  let services: TestServices;
  let prod: AccountId;
  let agents: AccountId;

  beforeEach(async () => {
    anchor = await startAnchor();
    browserbase = await startBrowserbase();
    stagehand = await startStagehand(browserbase);
    services = new TestServices();
    for (const name of ['ended', 'gone', 'failed', 'stuck', 'again']) anchor.add({ id: `sess_${name}` });
    stagehand.startSession('bb_agent');
    prod = await services.add('anchor', anchor.url, { apiKey: anchor.key });
    await services.accounts.rename(prod, 'prod');
    const credentials = { apiKey: browserbase.key, stagehandOrigin: `${stagehand.url}/` };
    agents = await services.add('browserbase', browserbase.url, credentials);
  });
  afterEach(async () => {
    services.dispose();
    await Promise.all([anchor.stop(), browserbase.stop(), stagehand.stop()]);
  });

  const said = () => `api_key=${anchor.key} is out of scope, see https://host.example/?token=provider-canary`;

  /** Produces every kind of outcome, after both accounts' live views were requested. */
  async function endAll(stop = quietly.stop): Promise<EndReport> {
    for (const [account, id] of [
      [prod, 'sess_stuck'],
      [agents, 'bb_agent'],
    ] as const) {
      const provider = await services.connections.open(account);
      const view = await provider.liveView?.(sessionId(id), undefined, 'watch', unaborted);
      assert.ok(view);
    }
    const targets = [prod, agents].flatMap((accountId): AccountSession[] =>
      [...(services.store.state(accountId)?.contents.sessions.values() ?? [])].map((session) => ({
        accountId,
        session,
      })),
    );
    anchor.sessions.delete('sess_gone');
    anchor.immortal.add('sess_stuck');
    const statusError = { status: 403, json: { error: { message: said() } } };
    anchor.misbehave('DELETE', /sess_failed$/, { kind: 'answer', answer: statusError });
    anchor.misbehave('DELETE', /sess_again$/, { kind: 'answer', answer: { status: 503, json: {} } }, 1);
    return services.ender.end(targets, { ...quietly, stop });
  }
  const audit = () => services.log.lines.filter((line) => line.startsWith('end '));

  it('has one line for each session: account, session, outcome, attempts, time, and reason', async () => {
    const { results } = await endAll();
    const lines = audit();
    assert.equal(lines.length, 6);
    for (const { accountId, session, outcome, attempts, ms } of results) {
      const start = `end ${services.accounts.get(accountId)?.label} ${session.id}: ${outcome}, ${attempts} sent, ${ms} ms`;
      assert.equal(lines.filter((line) => line === start || line.startsWith(`${start}: `)).length, 1, start);
    }
    const withoutTimes = lines.map((line) => line.replace(/\d+ ms/, 'N ms')).sort();
    assert.deepEqual(
      withoutTimes.filter((line) => !line.includes('sess_failed')),
      [
        'end browserbase bb_agent: ended, 1 sent, N ms: Stagehand ended it.',
        'end prod sess_again: ended, 2 sent, N ms',
        'end prod sess_ended: ended, 1 sent, N ms',
        'end prod sess_gone: alreadyGone, 1 sent, N ms',
        'end prod sess_stuck: stuck, 1 sent, N ms',
      ],
    );
    assert.match(withoutTimes.join('\n'), /^end prod sess_failed: failed, 1 sent, N ms: DELETE .*403/m);
  });

  it('includes those that were never sent', async () => {
    const stop = new AbortController();
    stop.abort();
    await endAll(stop.signal);
    assert.equal(audit().length, 6);
    for (const line of audit()) assert.match(line, /^end \w+ \w+: canceled, 0 sent, \d+ ms$/);
    assert.equal(anchor.running.length, 4);
  });

  it('contains no key, token or live view link, at any level', async () => {
    const { results } = await endAll();
    const failed = results.find(({ outcome }) => outcome === 'failed')?.why;
    assert.ok(failed?.kind === 'failed');
    const log = [...services.log.lines, failed.error.message, failed.error.detail].join('\n');
    // Requests and what a provider said are logged, so that there is something to redact.
    assert.match(log, /DELETE \/v1\/sessions\/\{session_id\}: 403/);
    assert.match(log, /out of scope/);
    for (const secret of [anchor.key, browserbase.key, 'provider-canary', 'proxy-password-canary', 'cdp-canary']) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        assert.ok(!log.includes(form), `${form} is in the log`);
      }
    }
    assert.doesNotMatch(log, /canary|\/live\/|devtools-fullscreen|rt=a|debug=true/);
  });
});
