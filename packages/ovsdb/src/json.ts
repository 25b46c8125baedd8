/** True for a JSON object, not for an array or null. */
export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

export function isArray(json: unknown): json is readonly unknown[] {
  return Array.isArray(json);
}

export function entries(json: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(json);
}
