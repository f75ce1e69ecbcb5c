import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import type { EndedSession } from '../../../src/services/history/history.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { endedRow } from '../../../src/ui/tree/endedRow.ts';

const now = Date.parse('2026-11-22T12:00:00Z');

describe('recently ended sessions', () => {
  const rowOf = (by: EndedSession['by'], endedAt = now - 60_000) => {
    const ended: EndedSession = {
      accountId: 'uuid-1',
      account: 'Anchor Browser · prod',
      sessionId: 'sess_1',
      name: 'checkout',
      startedAt: endedAt - 60_000,
      startIsExact: true,
      endedAt,
      by,
    };
    return endedRow(ended, new SessionStore(() => now), now);
  };

  it('have quiet icons: gray, none that looks like a button, and none that a running session or an error has', () => {
    const icons = (['you', 'elsewhere', 'timedOut', 'failed'] as const).map((by) => rowOf(by).icon);
    for (const icon of icons) {
      assert.equal(icon?.color, 'descriptionForeground');
      assert.doesNotMatch(icon.id, /^(?:debug-.*|watch|error|loading~spin|vm-running|question|shield)$/);
    }
    // Shape, not only words, tells how they ended.
    assert.equal(new Set(icons.map((icon) => icon?.id)).size, 4);
  });

  it('say when they ended: at a time of day, or on a day', () => {
    assert.match(rowOf('you').aria, /^Session checkout ended by you at \S.* after 1 minute$/);
    const daysAgo = rowOf('timedOut', now - 3 * 86_400_000);
    assert.match(daysAgo.aria, /^Session checkout timed out on \S+ after 1 minute$/);
  });

  it('have their own icon in the view', () => {
    const { contributes } = JSON.parse(readFileSync('package.json', 'utf8'));
    const [sessions, ended] = contributes.views.browserSessions;
    assert.equal(ended.id, 'browserSessions.ended');
    assert.notEqual(ended.icon, sessions.icon);
    assert.ok(existsSync(ended.icon));
  });
});
