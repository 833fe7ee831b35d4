// Prints the names that `import` and `require` of an entry do not share.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [, , ...entries] = process.argv;
const different = [];
for (const entry of entries) {
  const imported = await import(entry);
  const required = require(entry);
  for (const name of Object.keys(required)) {
    if (imported[name] === undefined || imported[name] !== required[name]) different.push(`${entry}: ${name}`);
  }
  if (Object.keys(required).length === 0) different.push(`${entry}: exports nothing`);
}
console.log(JSON.stringify(different));
