#!/usr/bin/env node
// Behaves like VS Code's own executable for `runTests` of @vscode/test-electron: takes its arguments, runs the tests
// inside the extension host of the VS Code from npm, prints their output, and exits with their code.
import { format } from 'node:util';
import { temporaryFolder } from './processes.ts';
import { Advice, script } from './steps.ts';
import { openWorkbench } from './workbench.ts';

/**
 * What `runTests` passes on the command line; flags that only apply to a desktop (such as --no-sandbox) are ignored.
 */
function argumentsOf(argv: readonly string[]): {
  extensions: string[];
  tests: string | undefined;
  userDataDir: string | undefined;
} {
  const values = (name: string) =>
    argv.flatMap((argument) => (argument.startsWith(`--${name}=`) ? [argument.slice(name.length + 3)] : []));
  return {
    extensions: values('extensionDevelopmentPath'),
    tests: values('extensionTestsPath').at(-1),
    userDataDir: values('user-data-dir').at(-1),
  };
}

/** This VS Code's messages about what is missing here and about its progress; none of them concerns the tests. */
const harmlessNoise =
  /bindings file|build\/Release\/watchdog|open-vsx\.org|Service Worker|authentication provider 'github'|^\[(AgentHost|AccountPolicyGate|reconnection)|a socket \(renderer|connection token|builtin extensions cache/;

await script(async () => {
  const { extensions, tests, userDataDir } = argumentsOf(process.argv.slice(2));
  const [extension, ...installed] = extensions;
  if (tests === undefined || extension === undefined) {
    throw new Advice(
      'Usage: code.ts --extensionDevelopmentPath=FOLDER --extensionTestsPath=FILE [--user-data-dir=FOLDER]',
    );
  }
  const workbench = await openWorkbench({
    userDataDir: userDataDir ?? temporaryFolder('code'),
    installed,
    // VS Code's own executable finds `index` without its extension; in a browser the address has to be exact.
    tested: { extension, tests: /\.[cm]?js$/.test(tests) ? tests : `${tests}.js` },
    onLog: (type, args) => {
      const text = format(...args).replace(/\n(\s+at .*\n?)+/g, '\n');
      if (!harmlessNoise.test(text)) (type === 'error' ? console.error : console.log)(text);
    },
  });
  const code = await workbench.exit;
  await workbench.close();
  process.exitCode = code;
});
process.exit();
