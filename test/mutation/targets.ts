/** Source files whose tests are measured together, because one run of those tests serves all of them. */
export interface Target {
  readonly name: string;
  /** Source files, as paths from the root. */
  readonly files: readonly string[];
  /** The tests that are to notice a change in them, the quickest first: the first that fails ends a mutant's run. */
  readonly tests: readonly string[];
}

/** The code that guards what the product promises. */
export const targets: readonly Target[] = [
  { name: 'origin', files: ['src/core/origin.ts'], tests: ['test/unit/core/origin.test.ts'] },
  { name: 'redact', files: ['src/core/redact.ts'], tests: ['test/unit/core/redact.test.ts'] },
  { name: 'plainText', files: ['src/core/plainText.ts'], tests: ['test/unit/core/plainText.test.ts'] },
  { name: 'client', files: ['src/http/client.ts'], tests: ['test/unit/http/client.test.ts'] },
  { name: 'framing', files: ['src/http/framing.ts'], tests: ['test/unit/http/framing.test.ts'] },
  {
    name: 'liveView',
    files: ['src/ui/liveView/messages.ts', 'src/ui/liveView/html.ts'],
    tests: ['test/unit/ui/liveView/messages.test.ts', 'test/unit/ui/liveView/html.test.ts'],
  },
  {
    name: 'ending',
    files: [
      'src/services/ending/request.ts',
      'src/services/ending/verifier.ts',
      'src/services/ending/ender.ts',
      'src/services/ending/probe.ts',
      'src/services/ending/pace.ts',
      'src/services/refresher.ts',
    ],
    tests: [
      'test/unit/services/ending/pace.test.ts',
      'test/unit/services/ending/probe.test.ts',
      'test/unit/services/ending/sending.test.ts',
      'test/unit/services/ending/confirming.test.ts',
      'test/unit/services/refresherPlan.test.ts',
      'test/unit/services/refresherProbes.test.ts',
      'test/unit/services/ending/enderProperties.test.ts',
    ],
  },
];
