import { defineProvider, type HttpRequest, isProviderError, newSession, providerError } from 'browser-sessions-api';

/** A browser as the grid's API lists it. */
interface GridBrowser {
  readonly id: string;
  readonly name: string;
  readonly state: 'warming' | 'busy' | 'free';
  /** ISO 8601. */
  readonly started: string;
  readonly owner: string;
}

const phases = { warming: 'starting', busy: 'running', free: 'idle' } as const;

/** The body of the grid's own response that it has no such browser. A load balancer's 404 has a different one. */
const isUnknown = (said: unknown) => JSON.stringify(said) === '{"error":"no such browser"}';

/** A browser grid that a company runs for itself. */
export const acmeGrid = defineProvider({
  id: 'acmeGrid',
  label: 'Acme Grid',
  icon: 'server',
  address: { ask: true, prompt: 'Address of the grid', placeholder: 'https://grid.example.com' },
  fields: [{ id: 'token', label: 'Token', prompt: 'A token from the grid’s settings', kind: 'secret' }],
  wording: { ending: 'The browser closes. Unsaved work in the page is lost.' },

  connect({ http, origin, credentials }) {
    const headers = { authorization: `Bearer ${credentials['token'] ?? ''}` };
    const send = (request: HttpRequest, signal: AbortSignal) =>
      http.send({ ...request, headers, isOwnNotFound: isUnknown }, signal);

    return {
      ending: { lists: 'complete' },

      async check(signal) {
        const { body } = await send({ method: 'GET', route: '/v1/account' }, signal);
        const { user, limit } = JSON.parse(body) as { user: string; limit: number };
        return { identity: user, sessionLimit: limit };
      },

      async *list(signal) {
        const { body } = await send({ method: 'GET', route: '/v1/browsers' }, signal);
        const { browsers } = JSON.parse(body) as { browsers: GridBrowser[] };
        yield {
          sessions: browsers.map(({ id, name, state, started, owner }) =>
            newSession(id, {
              name,
              phase: phases[state],
              status: state,
              startedAt: Date.parse(started),
              metadata: { owner },
            }),
          ),
        };
      },

      async end({ id }, signal) {
        try {
          await send({ method: 'DELETE', route: '/v1/browsers/{id}', params: { id } }, signal);
          return { outcome: 'accepted' };
        } catch (error) {
          if (isProviderError(error, 'notFound')) return { outcome: 'alreadyGone' };
          // The grid is upgraded at night and accepts no requests then.
          if (isProviderError(error, 'serverFault')) throw providerError({ kind: 'conflict' }, 'being upgraded');
          throw error;
        }
      },

      async probe({ id }, signal) {
        try {
          await send({ method: 'GET', route: '/v1/browsers/{id}', params: { id } }, signal);
          return 'running';
        } catch (error) {
          if (isProviderError(error, 'notFound')) return 'gone';
          throw error;
        }
      },

      dashboard: (id) => new URL(`/browsers/${id}`, origin),
    };
  },
});
