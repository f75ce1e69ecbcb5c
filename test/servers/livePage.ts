import type { VendorAnswer } from './vendorServer.ts';

/** What vendors' servers of ours show as a live view: which session it is, and a clock that runs. */
export function livePage(session: string): VendorAnswer {
  const html = `<!DOCTYPE html><title>Live</title><body style="font:48px sans-serif"><p>Session ${session.slice(0, 8)}</p>
<p id="clock"></p><script>setInterval(() => { document.getElementById('clock').textContent = new Date().toISOString(); }, 100);</script>`;
  return { status: 200, html };
}
