/** For the default branch of a switch over a closed union: compiles only where nothing is left. */
export function unreachable(value: never): never {
  throw new Error(`not reachable: ${JSON.stringify(value)}`);
}

/** The value, or an error that says which invariant is broken. */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`broken invariant: ${what}`);
  return value;
}
