/**
 * How much a failure matters. `must`: a delivery is forged, lost or bound to fail, or silence becomes consent. `should`: Kiket would do
 * something that the author cannot want. `hint`: good practice.
 */
export type CheckSeverity = 'must' | 'should' | 'hint';

/** From the one that matters most. */
export const SEVERITIES = ['must', 'should', 'hint'] as const satisfies readonly CheckSeverity[];
