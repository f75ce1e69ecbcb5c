import * as v from 'valibot';
import type { HttpRequest } from '../../../src/core/http.ts';
import { sessionId } from '../../../src/core/ids.ts';
import { liveViewUrl } from '../../../src/core/liveView.ts';
import { newSession } from '../../../src/core/newSession.ts';
import { type Link, type Provider, type ProviderKind, usualEnding } from '../../../src/core/provider.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import type { Session } from '../../../src/core/session.ts';
import { decode, decodeEach, decodeList, idField } from '../../../src/http/decode.ts';
import { neverNotFound, notFoundLike } from '../../../src/http/notFound.ts';
import { everyPage, namedBy } from '../../../src/http/paging.ts';

// A made-up provider, as a third party would add one: this file, and its name in the list.

const Room = v.object({ room: idField, state: v.string(), title: v.string() });
const Rooms = v.object({ rooms: v.array(v.unknown()), next: v.nullable(v.number()) });
const isOwnNotFound = notFoundLike(v.literal('No such room'));
const Window = v.object({ href: v.string() });

/** Rooms with a browser in each. */
export const exampleProvider: ProviderKind = {
  id: 'exampleProvider',
  label: 'Made Up',
  icon: 'beaker',
  address: { preset: 'https://made.up.example', ask: true, prompt: 'Address of the services', placeholder: '' },
  fields: [
    {
      id: 'doorKey',
      label: 'Door key',
      prompt: 'The key to the front door',
      kind: 'secret',
      required: true,
      asked: 'always',
      environment: [],
    },
  ],
  settings: [],
  furtherAddresses: () => [],
  can: ['endEverything', 'liveView'],
  wording: {
    session: 'A room.',
    ending: 'The room is emptied.',
    endEverything: 'Every room of the house is emptied.',
    deleteGroup: undefined,
    watching: 'Watching keeps the light on.',
  },
  connect,
};

function connect(link: Link): Provider {
  const headers = { 'door-key': link.credentials['doorKey'] ?? '' };
  const send = (request: HttpRequest, signal: AbortSignal) => link.http.send({ ...request, headers }, signal);

  async function* pages(signal: AbortSignal) {
    const read = async (page: number) => {
      const request = { method: 'GET', route: '/rooms', query: { page }, isOwnNotFound: neverNotFound } as const;
      const { whole, rows, faults } = await decodeList(Rooms, ['rooms'], await send(request, signal));
      return { rows, faults, more: whole.next !== null };
    };
    for await (const page of everyPage(read, namedBy('room'))) {
      const { rows, faults } = await decodeEach(Room, page, namedBy('room'));
      yield { sessions: rows.map(sessionOf), groups: [], faults, account: undefined };
    }
  }

  return {
    ending: { ...usualEnding, lists: 'complete' },
    async check(signal) {
      await send({ method: 'GET', route: '/rooms', query: { page: 1 } }, signal);
      return { identity: undefined, sessionLimit: undefined, note: undefined };
    },
    list: pages,
    async end({ id }, signal) {
      try {
        await send({ method: 'DELETE', route: '/rooms/{id}', params: { id }, isOwnNotFound }, signal);
        return { outcome: 'ended', how: undefined };
      } catch (error) {
        if (ProviderError.isOf(error, 'notFound')) return { outcome: 'alreadyGone', how: undefined };
        throw error;
      }
    },
    async probe({ id }, signal) {
      for await (const { sessions } of pages(signal)) if (sessions.some((one) => one.id === id)) return 'running';
      return 'gone';
    },
    async endEverything(signal) {
      await send({ method: 'DELETE', route: '/rooms' }, signal);
    },
    async liveView(id, _page, _mode, signal) {
      const answer = await send({ method: 'POST', route: '/rooms/{id}/window', params: { id } }, signal);
      const url = liveViewUrl(decode(Window, answer).href, ({ origin }) => origin === link.origin.origin);
      return {
        url,
        sandbox: 'allow-scripts',
        allow: '',
        fixedMode: false,
        singleUse: 'no',
        disconnectMessage: undefined,
      };
    },
  };
}

function sessionOf({ room, state, title }: v.InferOutput<typeof Room>): Session {
  return newSession(sessionId(room), { name: title, phase: state === 'lit' ? 'running' : 'unknown', status: state });
}
