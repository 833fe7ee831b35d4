/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /^env[:.]([A-Za-z_]\w*)$/i;
const PLACEHOLDER = /\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g;

/** The name of a variable that is unset or empty. */
export class UnsetVariable {
  constructor(readonly name: string) {}
}

/**
 * Replaces `env:NAME` and `env.NAME`, each as the whole text, and `${NAME}` and `${NAME:-default}` anywhere. As in a shell, an
 * empty variable counts as unset.
 */
export function resolvePlaceholders(text: string, env: Environment): string | UnsetVariable {
  const name = REFERENCE.exec(text)?.[1];
  if (name !== undefined) return valueOf(name, env) ?? new UnsetVariable(name);
  let unset: UnsetVariable | undefined;
  const resolved = text.replace(PLACEHOLDER, (_placeholder, variable: string, fallback: string | undefined) => {
    const value = valueOf(variable, env) ?? fallback;
    if (value === undefined) unset ??= new UnsetVariable(variable);
    return value ?? '';
  });
  return unset ?? resolved;
}

/** Returns the variable of a text that is one reference as a whole, and whether it has a default. */
export function referenceIn(text: string): { readonly name: string; readonly hasDefault: boolean } | undefined {
  const name = REFERENCE.exec(text)?.[1];
  if (name !== undefined) return { name, hasDefault: false };
  const [first] = text.matchAll(PLACEHOLDER);
  return first?.[0] === text ? { name: first[1]!, hasDefault: first[2] !== undefined } : undefined;
}

/** Returns the value of a variable; `undefined` when it is unset or empty. */
export function valueOf(name: string, env: Environment): string | undefined {
  return (Object.hasOwn(env, name) ? env[name] : undefined) || undefined;
}
