// Draws media/icon.png from media/icon.svg, at twice the 128 pixels it is shown at.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { ensureChromium } from './setup-host.mjs';

const media = fileURLToPath(new URL('../media/', import.meta.url));
const { path, reason } = ensureChromium();
if (!path) throw new Error(reason);
const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
const page = await browser.newPage({
  viewport: { width: 128, height: 128 },
  deviceScaleFactor: 2,
});
const svg = readFileSync(`${media}icon.svg`, 'utf8');
await page.setContent(`<style>body{margin:0}svg{display:block}</style>${svg}`);
writeFileSync(`${media}icon.png`, await page.screenshot({ omitBackground: true }));
await browser.close();
