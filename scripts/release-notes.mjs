// Prints the notes of a release: node scripts/release-notes.mjs v0.5.0
// Ends with 1 when the tag, package.json and CHANGELOG.md do not agree.
import { readFileSync } from 'node:fs';

/**
 * Returns the section of `version` in a changelog, without its heading.
 *
 * @throws {Error} when the tag is not that of the version, or the version has no dated section with text in it.
 */
function releaseNotes(tag, version, changelog) {
  if (tag !== `v${version}`) throw new Error(`The tag must be v${version}, as in package.json, but is ${tag}`);
  const [, ...sections] = changelog.split(/^## /m);
  const prefix = `[${version}] - `;
  const section = sections.find((text) => text.startsWith(prefix));
  const [, notes] = /^\d{4}-\d\d-\d\d\n(.+)$/s.exec(section?.slice(prefix.length) ?? '') ?? [];
  if (!notes?.trim()) throw new Error(`CHANGELOG.md must have a dated section for ${version} that is not empty`);
  return notes.trim();
}

try {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  console.log(releaseNotes(process.argv[2], version, readFileSync('CHANGELOG.md', 'utf8')));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
