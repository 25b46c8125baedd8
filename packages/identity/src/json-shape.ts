import { badRequest } from './problem.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A JSON object (not null, not a list). */
export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Its member `name` as an object; undefined where it is missing or null. */
export function optionalRecord(parent: Json, name: string): Json | undefined {
  const value = parent[name];
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw badRequest(`Invalid input for '${name}': it must be an object.`);
  return value;
}

export function requiredRecord(parent: unknown, name: string): Json {
  const value = isRecord(parent) ? optionalRecord(parent, name) : undefined;
  if (value === undefined) throw badRequest(`Invalid input: '${name}' is a required property.`);
  return value;
}

/** Its member `name` as text; undefined where it is missing or null. */
export function optionalText(parent: Json, name: string): string | undefined {
  const value = parent[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw badRequest(`Invalid input for '${name}': it must be a string.`);
  return value;
}

const maxDepth = 32;

/** Refuses what no column could hold (a zero character), and nesting that would cost somebody's stack later. */
export function checkShape(value: unknown, depth = 0): void {
  if (depth > maxDepth) throw badRequest(`The request body nests deeper than ${maxDepth} levels.`);
  if (typeof value === 'string' && value.includes('\0')) throw badRequest('A string holds a zero character.');
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name.includes('\0')) throw badRequest('A name holds a zero character.');
    checkShape(member, depth + 1);
  }
}
