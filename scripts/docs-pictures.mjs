// Copies the pictures that the documentation shows from screenshots/, which the browser tests write, to docs/images/.
import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** The name in the documentation, and the picture. */
const PICTURES = {
  activity: 'activity-light-1200',
  delivery: 'delivery-light-1200',
  send: 'send-light-1200',
  issues: 'issues-light-1200',
};

/** In bytes. */
const LARGEST = 150_000;

mkdirSync(path('docs/images'), { recursive: true });
for (const [name, picture] of Object.entries(PICTURES)) {
  const source = path(`screenshots/${picture}.png`);
  if (!existsSync(source)) throw new Error(`There is no ${source}: run npx jest __tests__/system/page/pictures`);
  const { size } = statSync(source);
  if (size > LARGEST) throw new Error(`${picture} has ${size} bytes, but at most ${LARGEST} are allowed`);
  copyFileSync(source, path(`docs/images/${name}.png`));
}
