/** A change of the code that no test can notice, because what the code does stays the same. */
export interface Equivalent {
  readonly file: string;
  /** The whole source line on which the changed code begins, without its indentation. */
  readonly line: string;
  /** What is changed on it; only where several changes on the line have the same result. */
  readonly from?: string;
  /** What it is changed to. */
  readonly to: string;
  readonly reason: string;
}

/** Changes that are left out of the score. Each must be one that survives: `npm run mutate` fails for any other. */
export const equivalents: readonly Equivalent[] = [
  {
    file: 'src/core/plainText.ts',
    line: 'const blanks = /[^\\S\\ufeff]+/gu;',
    to: '/[^\\S\\ufeff]/gu',
    reason: 'Several spaces in a row are made one a few lines below.',
  },
  {
    file: 'src/http/framing.ts',
    line: "if (status < 200 || status > 299) return { kind: 'failed', status };",
    from: 'status < 200',
    to: 'false',
    reason: 'No transport hands out an answer with a status below 200: those only announce another.',
  },
  {
    file: 'src/http/framing.ts',
    line: "const policies = ancestorLists(headers.get('content-security-policy') ?? '');",
    to: '"Stryker was here!"',
    reason: 'A policy without frame-ancestors is the same as none.',
  },
  {
    file: 'src/http/framing.ts',
    line: "const options = (headers.get('x-frame-options') ?? '').toLowerCase();",
    to: '"Stryker was here!"',
    reason: 'An option that is not known is the same as none.',
  },
  {
    file: 'src/http/framing.ts',
    line: '.map((one) => one.trim().split(/\\s+/))',
    to: '/\\s/',
    reason: 'It adds empty sources, which allow nothing.',
  },
  {
    file: 'src/http/framing.ts',
    line: 'return directive === undefined ? [] : [directive.slice(1)];',
    to: 'directive',
    reason: 'It adds the source “frame-ancestors”, which allows nothing.',
  },
  {
    file: 'src/ui/liveView/html.ts',
    line: "return text.replace(/[&<>\"']/g, (character) => entities[character] ?? '');",
    to: '"Stryker was here!"',
    reason: 'Only characters that have an entity are replaced.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "const { alreadyGone, said } = sent.kind === 'taken' ? sent : { alreadyGone: false, said: undefined };",
    to: 'true',
    from: "sent.kind === 'taken'",
    reason: 'It is asked of nothing else: what was refused or is unclear has a reason of its own.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "const { alreadyGone, said } = sent.kind === 'taken' ? sent : { alreadyGone: false, said: undefined };",
    to: '{}',
    reason: 'It is asked of nothing else: what was refused or is unclear has a reason of its own.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "const { alreadyGone, said } = sent.kind === 'taken' ? sent : { alreadyGone: false, said: undefined };",
    from: 'false',
    to: 'true',
    reason: 'It is asked of nothing else: what was refused or is unclear has a reason of its own.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "return sent.kind === 'taken' && sent.alreadyGone;",
    from: "sent.kind === 'taken'",
    to: 'true',
    reason: 'Nothing else has the field.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "return trouble.kind === 'rateLimited' || (trouble.kind === 'serverFault' && trouble.status === 503);",
    from: "trouble.kind === 'serverFault'",
    to: 'true',
    reason: 'No other trouble has a status.',
  },
  {
    file: 'src/services/ending/request.ts',
    line: "return trouble.kind === 'unreachable' && (trouble.why === 'refused' || trouble.why === 'dns');",
    from: "trouble.kind === 'unreachable'",
    to: 'true',
    reason: 'No other trouble has these reasons.',
  },
  {
    file: 'src/services/ending/pace.ts',
    line: "const retryAt = trouble.kind === 'rateLimited' ? trouble.retryAt : undefined;",
    to: 'true',
    reason: 'No other trouble has a time.',
  },
  {
    file: 'src/services/refresher.ts',
    line: "const poll = change.kind === 'account' ? this.#polls.get(change.accountId) : undefined;",
    to: 'true',
    reason: 'No other change has an account, and none is called undefined.',
  },
  {
    file: 'src/services/refresher.ts',
    line: 'this.#polls.clear();',
    to: ';',
    reason: 'What is stopped does nothing when it is asked to.',
  },
  {
    file: 'src/services/refresher.ts',
    line: 'if (poll.queued === undefined) this.#schedule(poll);',
    to: 'true',
    reason: 'The list that waits begins at once, and puts the timer away.',
  },
  {
    file: 'src/services/refresher.ts',
    line: 'const due = clock.now() < poll.noProbeBefore ? [] : dueFor(poll.probed, clock.now());',
    to: '["Stryker was here"]',
    reason: 'No session has that id, and what is not listed is not asked for.',
  },
  {
    file: 'src/services/refresher.ts',
    line: 'const sessions = due.flatMap((id) => store.session(account, id) ?? []);',
    to: '["Stryker was here"]',
    reason: 'Everything that is due is listed: nothing comes between.',
  },
];
