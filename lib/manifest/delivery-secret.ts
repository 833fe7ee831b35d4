import { describe } from '../options';
import type { KiketManifestWarning } from '../delivery/manifest';
import type { ManifestNode } from './manifest-node';
import { referenceIn, valueOf } from './placeholder';

/** The delivery secret of a manifest, and where it comes from. */
export interface DeliverySecret {
  readonly secret?: string | undefined;
  readonly secretName?: string;
  readonly warning?: KiketManifestWarning;
}

const EXPECTED = 'a reference such as env:KIKET_WEBHOOK_SECRET';

/** Without the underscore, random secrets in base 32 would count. */
const NAME = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

/** Meant as a reference, but in none of the supported forms. */
const BROKEN_REFERENCE = /^env[:.]|^\$\w+$|\$\{|\{\{/i;

/**
 * Reads the delivery secret. A variable that is unset does not throw: the secret may come from elsewhere.
 *
 * @throws {KiketManifestError} for a default, and for a name without `env:`. Both stand in the repository, so that anybody who
 *   has read it could sign deliveries.
 */
export function readDeliverySecret(node: ManifestNode): DeliverySecret {
  if (node.isAbsent) return {};
  const { value, env } = node;
  if (typeof value !== 'string' || value === '') throw node.error(EXPECTED, `is ${describe(value)}`);

  const reference = referenceIn(value);
  if (reference?.hasDefault === true) throw node.error('a variable without a default', 'has one; remove it');
  if (reference !== undefined) return { secret: valueOf(reference.name, env), secretName: reference.name };
  if (BROKEN_REFERENCE.test(value)) throw node.error(EXPECTED, 'is not a complete reference');
  if (NAME.test(value) || valueOf(value, env) !== undefined) {
    throw node.error(EXPECTED, 'looks like the name of a variable; write env: before it');
  }
  return { secret: value, warning: literalWarning(node) };
}

function literalWarning(node: ManifestNode): KiketManifestWarning {
  const problem = `${node.path} holds the secret itself: whoever can read this file can sign deliveries. Move it to a variable, and write env:NAME`;
  return { code: 'KIKET_MANIFEST_SECRET', message: node.located(problem) };
}
