import type { ProcessReader } from './processes.ts';

/** Opens the reader for this operating system. */
export async function openProcessReader(platform = process.platform): Promise<ProcessReader> {
  if (platform === 'linux') return (await import('./linuxProcesses.ts')).linuxProcesses();
  if (platform === 'win32') return (await import('./windowsProcesses.ts')).windowsProcesses();
  return (await import('./macProcesses.ts')).macProcesses();
}
