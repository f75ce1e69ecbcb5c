import { basename } from 'node:path';
import { isInterpreter, type LocalProcess, programName } from './processes.ts';

/** Options of interpreters whose value is the next argument. Values may be secrets, and never count as scripts. */
const withValue =
  /^(-[rCWXIQ]|-cp|-classpath|--(require|import|loader|experimental-loader|conditions|env-file|env-file-if-exists|title|input-type|preload|config|class-path|module-path|add-modules|check-hash-based-pycs|dns-result-order|unhandled-rejections|test-name-pattern|watch-path|openssl-config|runtimeconfig|port))$/;
/** Options that mean code instead of a script. Python and Ruby take several short options together, and code right behind `-c`. */
const withCode = /^(-(?![WX])[A-Za-z]{0,5}[ce]|-c.*|-p|--(eval|print)(=.*)?)$/s;
/** Commands of an interpreter before the script: `bun run script.ts`. */
const command = /^(run|exec|test|task|x|serve)$/;
/** Arguments that look like scripts. */
const scriptFile = /[/\\]|\.([cm]?[jt]s|py|jar|rb)$/;
const longestPath = 4_096;

/**
 * The script or Python module that an interpreter runs; empty for other programs, and if that isn't certain: every later argument
 * may be a secret. A program can replace its arguments with a title, as npm does (`npm exec tool --key=…`): only the first word
 * of a title is used.
 */
export function scriptOf({ program, args: [first = '', ...others] }: LocalProcess): string {
  if (!isInterpreter(program)) return '';
  // The path of the program itself may have a space in it, as on Windows.
  const isTitle = others.length === 0 || (/\s/.test(first) && programName(first) !== programName(program));
  if (isTitle) return safePath(first.split(/\s/, 1)[0] ?? '');
  let hasCommand = false;
  for (let at = 0; at < others.length; at++) {
    const arg = others[at] ?? '';
    const next = others[at + 1] ?? '';
    if (withValue.test(arg)) {
      at++;
      continue;
    }
    // Standard input, or code. What follows are the script's own arguments.
    if (arg === '-' || withCode.test(arg)) return '';
    const module = /^-m(.+)/.exec(arg)?.[1] ?? (/^-[A-Za-z]*m$/.test(arg) ? next : undefined);
    if (module !== undefined) return /^[\w.]+$/.test(module) ? module : '';
    if (arg === '-jar') return safePath(next);
    if (arg.startsWith('-')) continue;
    if (hasCommand || !command.test(arg)) return scriptFile.test(arg) ? safePath(arg) : '';
    // It runs a project, and not a file.
    if (programName(program) === 'dotnet' && arg !== 'exec') return '';
    hasCommand = true;
  }
  return '';
}

/** A path, or nothing if it's too long, an address, or has a name that isn't like that of a file. */
function safePath(path: string): string {
  const isPath = path.length <= longestPath && !path.includes('://');
  return isPath && /^[^\s?=:&#%]{1,100}$/.test(fileName(path)) ? path : '';
}

function fileName(path: string): string {
  return basename(path.replaceAll('\\', '/'));
}

/** The package that a script belongs to, otherwise its file name: `/x/node_modules/@playwright/mcp/cli.js` is `@playwright/mcp`. */
function scriptName(script: string): string {
  const [, name] = /^.*node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)[/\\]/s.exec(script) ?? [];
  return name === undefined || name === '.bin' ? fileName(script) : name.replaceAll('\\', '/');
}

/** What a process is called: the script's name where an interpreter runs one, else the program's. */
export function processName(process: LocalProcess): string {
  const script = scriptOf(process);
  return script === '' ? programName(process.program) : scriptName(script);
}
