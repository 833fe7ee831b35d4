import { parse } from 'secure-json-parse';

/**
 * What a JSON text of another system says, without `__proto__` and `constructor` keys.
 *
 * @throws {SyntaxError} whose message quotes the text: it must not be shown, nor kept as a cause.
 */
export function parseJson(text: string): unknown {
  return parse(text, { protoAction: 'remove', constructorAction: 'remove' });
}
