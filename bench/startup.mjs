// The start-up time and the installed size that kiket-express adds to a service: node startup.mjs [--markdown]
import { parseArgs } from 'node:util';
import { importMillis } from './import-time.mjs';
import { bytesOfFolder, dependencyFolders, packedFiles } from './installed-size.mjs';
import { requireBuilt } from './require-built.mjs';
import { median } from './statistics.mjs';
import { formatTable } from './table.mjs';

const ROUNDS = 11;

const options = parseArgs({ options: { markdown: { type: 'boolean', default: false } } }).values;

// Express comes from beside kiket-express, as in a service: they share the packages that read a body.
const express = requireBuilt.resolve('express');
const loads = [
  { name: 'Express alone', paths: [express], millis: [] },
  {
    name: 'Express and `kiket-express/verify`',
    paths: [express, requireBuilt.resolve('kiket-express/verify')],
    millis: [],
  },
  { name: 'Express and `kiket-express`', paths: [express, requireBuilt.resolve('kiket-express')], millis: [] },
];

for (const { paths } of loads) importMillis(paths); // fills the disk's cache
for (let round = 0; round < ROUNDS; round += 1) {
  for (const load of loads) load.millis.push(importMillis(load.paths));
}

const [alone] = loads;
print(`Import time in a fresh process, median of ${ROUNDS}, Node ${process.version}`, [
  ['', 'ms', 'ms more than Express alone'],
  ...loads.map(({ name, millis }) => [
    name,
    median(millis).toFixed(1),
    median(millis.map((own, round) => own - alone.millis[round])).toFixed(1),
  ]),
]);

const files = packedFiles();
const dependencies = dependencyFolders();
print('Installed size', [
  ['', 'KB'],
  ['`dist`', kilobytes(bytesOf(files.filter(({ path }) => path.startsWith('dist/'))))],
  ['the whole package', kilobytes(bytesOf(files))],
  [
    `its ${dependencies.length} dependencies, some of which Express has too`,
    kilobytes(total(dependencies.map(bytesOfFolder))),
  ],
]);

function print(title, rows) {
  console.log(`\n${options.markdown ? '### ' : ''}${title}\n\n${formatTable(rows, options)}`);
}

function bytesOf(packed) {
  return total(packed.map(({ size }) => size));
}

function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function kilobytes(bytes) {
  return (bytes / 1024).toFixed(0);
}
