// Hostile servers in a process of their own, so that they take no CPU time from the client being measured: session
// gateways by the path of their flood, and browsers. Tells its parent their addresses.
import { startHostileChrome, tabOf } from '../servers/hostileChrome.ts';
import { ProviderServer } from '../servers/providerServer.ts';

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const row = (id: string, more: object = {}) =>
  JSON.stringify({ id, status: 'running', createdAt: '2026-11-22T12:00:00Z', profileName: 'nightly', ...more });
const zeros = many(9_900, () => 0);

/** Rows of floods below the 32 MiB limit of a response, by what is special about them. */
const floods: Readonly<Record<string, () => readonly string[]>> = {
  'five thousand sessions, as honest servers have them': () => many(5_000, (n) => row(`session${n}`)),
  'as many rows as fit': () => many(300_000, (n) => row(`session${n}`)),
  'ten thousand of the smallest rows': () => many(10_000, (n) => row(`s${n}`)),
  'rows with one long text each': () => many(8, (n) => row(`session${n}`, { currentUrl: 'x'.repeat(3.9 * 2 ** 20) })),
  'rows with as many values as fit': () => many(1_000, (n) => row(`session${n}`, { more: zeros })),
  'rows with many names': () =>
    many(100, (n) => row(`session${n}`, Object.fromEntries(zeros.map((_, index) => [`name${n}-${index}`, 0])))),
  'rows that can’t be read': () => many(200_000, (n) => row(`a/${n}`)),
  'brackets alone': () => many(3_000, () => `${'['.repeat(5_000)}${']'.repeat(5_000)}`),
};

const server = new ProviderServer({
  routes: Object.fromEntries(
    Object.entries(floods).map(([name, rows], index) => {
      let text: string | undefined;
      return [
        `GET /${index}/api/browser-automation/sessions`,
        () => {
          text ??= `{"sessions":[${rows().join()}]}`;
          return { status: 200, text, headers: { 'content-type': 'application/json', 'x-name': name } };
        },
      ];
    }),
  ),
  notFound: () => ({ status: 404 }),
});
await server.start();

const targets = await startHostileChrome();
targets.targets = many(100_000, (n) => tabOf('own', `tab${n}`));
const tabs = await startHostileChrome();
tabs.targets = many(10_000, (n) => tabOf('own', `tab${n}`));
const contexts = await startHostileChrome();
contexts.contexts = many(90_000, (n) => `context${n}`);
const titles = await startHostileChrome();
titles.targets = many(2_000, (n) => tabOf('own', `tab${n}`, { title: '/a'.repeat(2_500), url: 'a'.repeat(5_000) }));

process.on('disconnect', () => process.exit());
process.send?.([
  ...Object.keys(floods).map((name, index) => ({ name, provider: 'gateway', url: `${server.url}/${index}` })),
  { name: 'a browser with 100,000 targets', provider: 'localChrome', url: targets.url },
  { name: 'a browser with 10,000 tabs', provider: 'localChrome', url: tabs.url },
  { name: 'a browser with 90,000 contexts', provider: 'localChrome', url: contexts.url },
  { name: 'a browser with 2,000 tabs with long titles', provider: 'localChrome', url: titles.url },
]);
