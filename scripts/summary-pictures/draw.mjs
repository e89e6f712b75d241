// Draws Markdown as GitHub shows it on the page of a run, 980 pixels wide.
//   node draw.mjs TARGET-DIR [--dark] FILE.md...
import chromium from '@sparticuz/chromium';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { marked } from 'marked';
import markedAlert from 'marked-alert';
import puppeteer from 'puppeteer-core';
import UPNG from 'upng-js';

const CONTENT_WIDTH = 980;
const PADDING = 24;
const SCALE = 1.5;
const PICTURE_LIMIT = 118 * 1024;
const COLOURS = [32, 24, 16, 12, 8];

const [target, ...rest] = process.argv.slice(2);
const scheme = rest.includes('--dark') ? 'dark' : 'light';
const files = rest.filter((name) => name !== '--dark');

const resolve = createRequire(import.meta.url).resolve;
const asset = (name) => readFileSync(resolve(name));
const font = (family, file, weight) => `@font-face { font-family: "${family}"; font-weight: ${weight};
  src: url(data:font/woff2;base64,${asset(file).toString('base64')}) }`;
const fonts = [400, 600].flatMap((weight) => [
  font('Noto Sans', `@fontsource/noto-sans/files/noto-sans-latin-${weight}-normal.woff2`, weight),
  font('Liberation Mono', `@fontsource/noto-sans-mono/files/noto-sans-mono-latin-${weight}-normal.woff2`, weight),
]);
const stylesheet = asset(`github-markdown-css/github-markdown-${scheme}.css`);

marked.use(markedAlert());

function page(markdown) {
  return `<!doctype html><meta charset="utf-8"><style>${fonts.join('\n')}\n${stylesheet}
    body { margin: 0; padding: ${PADDING}px; width: ${CONTENT_WIDTH}px; box-sizing: content-box }
    html { background: ${scheme === 'dark' ? '#0d1117' : '#ffffff'} }</style>
    <article class="markdown-body">${marked.parse(markdown)}</article>`;
}

const browser = await puppeteer.launch({
  args: puppeteer.defaultArgs({ args: chromium.args, headless: 'shell' }),
  executablePath: await chromium.executablePath(),
  headless: 'shell',
});
try {
  const tab = await browser.newPage();
  await tab.setViewport({ width: CONTENT_WIDTH + 2 * PADDING, height: 100, deviceScaleFactor: SCALE });
  for (const file of files) {
    await tab.setContent(page(readFileSync(file, 'utf8')));
    await tab.evaluate(() => document.fonts.ready);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) console.error(`${file}: ${wide} pixels wider than the page`);
    const shot = UPNG.decode(Buffer.from(await tab.screenshot({ fullPage: true })));
    const encode = (colours) => UPNG.encode([UPNG.toRGBA8(shot)[0]], shot.width, shot.height, colours);
    let small;
    for (const colours of COLOURS) {
      small = encode(colours);
      if (small.byteLength < PICTURE_LIMIT) break;
    }
    const picture = join(target, `${basename(file, '.md')}${scheme === 'dark' ? '-dark' : ''}.png`);
    writeFileSync(picture, Buffer.from(small));
    console.log(`${picture}: ${shot.width} x ${shot.height}, ${small.byteLength >> 10} KiB`);
  }
} finally {
  await browser.close();
}
