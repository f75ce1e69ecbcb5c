// Writes the table of providers into README.md, from what their files say (`npm run readme`). test/unit/readme.test.ts
// holds that it is current.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Capability, ProviderKind } from '../src/core/provider.ts';
import { providerKinds } from '../src/providers/index.ts';

const file = new URL('../README.md', import.meta.url);
const [begin, end] = ['<!-- providers: npm run readme -->\n', '<!-- /providers -->\n'];

/** What there is a command or a row for. */
const abilities: Readonly<Partial<Record<Capability, string>>> = {
  pages: 'pages',
  liveView: 'live view',
  devtools: 'live view by pictures',
  screenshot: 'screenshots',
  recording: 'recordings',
  dashboard: 'its dashboard',
  deleteGroup: 'delete a batch with its data',
  endEverything: 'end everything in one call',
};

const headings = [
  'Provider',
  'A session is',
  'Asks for',
  'Besides listing and ending',
  'Kill all',
  'An open live view',
];

function rowOf({ label, can, fields, wording, address }: ProviderKind): string[] {
  const asked = fields.map(({ label: name, required, asked: when }) => {
    const advanced = when === 'withAddress' ? ', with another address' : '';
    return required ? name : `${name} (optional${advanced})`;
  });
  const everything =
    wording.endEverything === undefined ? '' : ` A second button goes further: ${wording.endEverything}`;
  return [
    label,
    wording.session,
    [...(address.ask ? ['address'] : []), ...asked].join('<br>'),
    can.flatMap((capability) => abilities[capability] ?? []).join(', ') || '–',
    `Ends what the dialog lists, one by one.${everything}`,
    can.includes('liveView') || can.includes('devtools') ? (wording.watching ?? 'No effect of it is documented.') : '–',
  ];
}

/** README.md as it should be now. */
export function currentReadme(): string {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error('README.md has no place for the table of providers.');
  const rows = [headings, headings.map(() => '---'), ...providerKinds.map(rowOf)];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  return text.slice(0, from + begin.length) + table + text.slice(to);
}

if (import.meta.main) writeFileSync(file, currentReadme());
