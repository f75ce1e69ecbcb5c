import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { Emitter } from '../core/event.ts';
import type { EditorNetwork } from '../core/network.ts';
import { settingsReader } from './settings.ts';

type ResolveProxy = (url: string) => Promise<string | undefined>;

/** Reads VS Code's network settings, and uses its own proxy resolver where that is available. */
export function openEditorNetwork(): EditorNetwork & vscode.Disposable {
  const changed = new Emitter<void>();
  const subscription = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('http') || event.affectsConfiguration('browserSessions.network')) changed.fire();
  });
  const http = () => vscode.workspace.getConfiguration('http');
  const setting = settingsReader(() => vscode.workspace.getConfiguration('browserSessions'));
  return {
    onDidChange: changed.event,
    dispose: () => subscription.dispose(),
    settings: () => {
      const strictCertificates = http().get('proxyStrictSSL', true);
      // VS Code's fetch then accepts any certificate, whatever its settings say.
      const acceptsAny = process.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
      return {
        transport: strictCertificates && acceptsAny ? 'undici' : setting('network.transport'),
        systemCertificates: http().get('systemCertificates', true),
        strictCertificates,
      };
    },
    async routeTo(url) {
      if (http().get('proxySupport') === 'off') return { by: 'editor', proxy: undefined };
      const resolve = editorResolver();
      // Only the origin: the editor logs what it resolves.
      if (resolve !== undefined) return { by: 'editor', proxy: (await resolve(url.origin)) || undefined };
      return {
        by: 'settings',
        proxy: http().get<string>('proxy') || undefined,
        noProxy: http().get<string[]>('noProxy', []),
      };
    },
  };
}

/**
 * VS Code's resolver, which knows `http.proxy`, `http.noProxy`, the environment, the system's settings and PAC files.
 * It is no API: the module that VS Code's extension host has patched carries it (as GitHub Copilot Chat uses it).
 */
function editorResolver(): ResolveProxy | undefined {
  const load = createRequire(join(vscode.env.appRoot, 'package.json'));
  for (const folder of ['node_modules.asar', 'node_modules']) {
    try {
      const { resolveProxyURL } = load(join(vscode.env.appRoot, folder, '@vscode', 'proxy-agent'));
      if (typeof resolveProxyURL === 'function') return resolveProxyURL;
    } catch {
      // Not in this folder or product: the settings are read instead.
    }
  }
  return undefined;
}
