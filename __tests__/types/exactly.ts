/** True when both types are equal, and neither is `any`. */
type Same<Actual, Expected> =
  (<T>() => T extends Actual ? 1 : 2) extends <T>() => T extends Expected ? 1 : 2 ? true : false;

/** Compiles only when the type of `value` is exactly this one: `exactly<string>()(value)`. */
export declare function exactly<Expected>(): <Actual>(
  value: Actual,
  ...is: Same<Actual, Expected> extends true ? [] : [never]
) => void;
