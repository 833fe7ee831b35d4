import { parse } from 'secure-json-parse';

/**
 * What a JSON text of another system says, without what could replace a prototype where it is copied: `__proto__` keys, and
 * `constructor` keys whose value is an object with a `prototype`.
 *
 * @throws {SyntaxError} whose message quotes the text: it must not be shown, nor kept as a cause.
 */
export function parseJson(text: string): unknown {
  return parse(text, { protoAction: 'remove', constructorAction: 'remove' });
}
