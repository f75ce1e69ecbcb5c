/** Source files whose tests are measured together, because one run of those tests covers all of them. */
export interface Target {
  readonly name: string;
  /** Source files, as paths from the root. */
  readonly files: readonly string[];
  /** The tests that should notice a change in them, the fastest first: the first failure ends a mutant's run. */
  readonly tests: readonly string[];
}

/** The code that guards what the product promises. */
export const targets: readonly Target[] = [
  {
    name: 'origin',
    files: ['src/core/origin.ts', 'src/core/requestUrl.ts', 'src/core/typedAddress.ts'],
    tests: ['test/unit/core/origin.test.ts'],
  },
  { name: 'redact', files: ['src/core/redact.ts'], tests: ['test/unit/core/redact.test.ts'] },
  { name: 'plainText', files: ['src/core/plainText.ts'], tests: ['test/unit/core/plainText.test.ts'] },
  {
    name: 'client',
    files: ['src/http/client.ts'],
    tests: ['test/unit/http/clientReports.test.ts', 'test/unit/http/client.test.ts'],
  },
  { name: 'framing', files: ['src/http/framing.ts'], tests: ['test/unit/http/framing.test.ts'] },
  {
    name: 'liveView',
    files: ['src/ui/liveView/messages.ts', 'src/ui/liveView/html.ts', 'src/core/escapeHtml.ts'],
    tests: ['test/unit/ui/liveView/messages.test.ts', 'test/unit/ui/liveView/html.test.ts'],
  },
  {
    name: 'verification',
    files: ['src/services/ending/verification.ts'],
    tests: ['test/unit/services/ending/verification.test.ts'],
  },
  {
    name: 'evidence',
    files: ['src/services/ending/evidence.ts'],
    tests: ['test/unit/services/ending/evidence.test.ts'],
  },
  { name: 'pace', files: ['src/services/ending/pace.ts'], tests: ['test/unit/services/ending/pace.test.ts'] },
  { name: 'probe', files: ['src/services/ending/probe.ts'], tests: ['test/unit/services/ending/probe.test.ts'] },
  {
    name: 'sending',
    files: ['src/services/ending/queue.ts', 'src/services/ending/request.ts'],
    tests: [
      'test/unit/services/ending/queue.test.ts',
      'test/unit/services/ending/workers.test.ts',
      'test/unit/services/ending/sending.test.ts',
      'test/unit/services/ending/confirming.test.ts',
    ],
  },
  {
    name: 'journal',
    files: ['src/services/ending/journal.ts'],
    tests: ['test/unit/services/ending/journal.test.ts'],
  },
  {
    name: 'lookUp',
    files: ['src/services/ending/lookUp.ts'],
    tests: ['test/unit/services/ending/lookUp.test.ts'],
  },
  {
    name: 'confirming',
    files: [
      'src/services/ending/confirm.ts',
      'src/services/ending/verifier.ts',
      'src/services/ending/checkMissing.ts',
      'src/services/ending/accountEnd.ts',
      'src/services/ending/ender.ts',
    ],
    tests: [
      'test/unit/services/ending/accountEnd.test.ts',
      'test/unit/services/ending/verifier.test.ts',
      'test/unit/services/ending/queue.test.ts',
      'test/unit/services/ending/workers.test.ts',
      'test/unit/services/ending/confirming.test.ts',
      'test/unit/services/ending/sending.test.ts',
      'test/unit/services/providers/providerKinds.test.ts',
    ],
  },
  {
    name: 'listing',
    files: ['src/services/sessions/listing.ts', 'src/services/sessions/refresher.ts'],
    tests: [
      'test/unit/services/sessions/listing.test.ts',
      'test/unit/services/sessions/refresherPlan.test.ts',
      'test/unit/services/sessions/refresherProbes.test.ts',
      'test/unit/services/ending/workers.test.ts',
    ],
  },
  {
    name: 'protections',
    files: [
      'src/services/sessions/protections.ts',
      'src/services/sessions/controlledSessions.ts',
      'src/services/sessions/sameSession.ts',
    ],
    tests: [
      'test/unit/services/sessions/controlledSessions.test.ts',
      'test/unit/services/sessions/protections.test.ts',
    ],
  },
  {
    name: 'endPlan',
    files: ['src/ui/commands/endPlan.ts'],
    tests: ['test/unit/ui/endPlan.test.ts', 'test/unit/ui/protectedElsewhere.test.ts'],
  },
];
