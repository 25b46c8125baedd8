import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** Why a value cannot be taken, in words that continue "Invalid input for ATTRIBUTE. Reason: …". */
export class Refusal {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * What values an attribute takes: the JSON Schema that the documents show, and the function that turns what a client sent into
 * what the store keeps (canonical form), or says why not. Both come from one call of a function in this file.
 */
export interface Kind<T> {
  readonly schema: TSchema;
  readonly parse: (value: unknown) => T | Refusal;
}

/** The value, as it may appear in a message: short, whatever was sent. */
export function shown(value: unknown): string {
  const whole = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return `'${whole.length > 60 ? `${whole.slice(0, 60)}…` : whole}'`;
}

/** A kind whose schema says it all; `lenient` first turns the other spellings that Neutron takes into the schema's own. */
function scalar<T>(
  schema: TSchema,
  complaint: (value: unknown) => string,
  lenient: (value: unknown) => unknown = (value) => value,
): Kind<T> {
  const validator = Compile(schema);
  return {
    schema,
    parse: (value) => {
      const candidate = lenient(value);
      return validator.Check(candidate) ? (candidate as T) : new Refusal(complaint(value));
    },
  };
}

/** `kind`, and then a further check or change of form. */
export function refined<T, U>(kind: Kind<T>, refine: (value: T) => U | Refusal): Kind<U> {
  return {
    schema: kind.schema,
    parse: (value) => {
      const parsed = kind.parse(value);
      return parsed instanceof Refusal ? parsed : refine(parsed);
    },
  };
}

/** Text of at most `maxLength` characters. PostgreSQL keeps no NUL, so a text has none. */
export function text(maxLength: number): Kind<string> {
  const kind = scalar<string>(Type.String({ maxLength }), (value) =>
    typeof value === 'string'
      ? `${shown(value)} exceeds maximum length of ${maxLength}`
      : `${shown(value)} is not a valid string`,
  );
  return refined(kind, (value) =>
    storable(value) ? value : new Refusal(`${shown(value)} holds a character that cannot be stored`),
  );
}

/** No NUL, and every surrogate has its partner: what a UTF-8 database can keep. */
function storable(value: string): boolean {
  return !value.includes('\0') && !/\p{Surrogate}/u.test(value);
}

const spokenBooleans = new Map<unknown, boolean>([
  ['true', true],
  ['1', true],
  [1, true],
  ['false', false],
  ['0', false],
  [0, false],
]);

/** True or false, also as the strings and numbers that Neutron takes for them. */
export const flag: Kind<boolean> = scalar(
  Type.Boolean(),
  (value) => `${shown(value)} cannot be converted to boolean`,
  (value) => spokenBooleans.get(typeof value === 'string' ? value.toLowerCase() : value) ?? value,
);

/** A whole number, also as decimal digits in a string. */
export function integer(minimum: number, maximum: number): Kind<number> {
  return scalar(
    Type.Integer({ minimum, maximum }),
    (value) => `${shown(value)} is not an integer from ${minimum} to ${maximum}`,
    (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
  );
}

/** One of a few values. */
export function oneOf<const V extends string | number>(...values: readonly V[]): Kind<V> {
  const spelled = new Map<unknown, V>(values.map((value) => [String(value), value]));
  return scalar(
    Type.Union(values.map((value) => Type.Literal(value))),
    (value) => `${shown(value)} is not in [${values.map((v) => (typeof v === 'string' ? `'${v}'` : v)).join(', ')}]`,
    (value) => (typeof value === 'string' ? (spelled.get(value) ?? value) : value),
  );
}

const uuidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
const uuidExpression = new RegExp(uuidPattern);

/** Does `text` have the form of an id that the store gives? */
export function isUuid(value: string): boolean {
  return uuidExpression.test(value);
}

const uuidKind = refined(
  scalar<string>(
    Type.String({ pattern: uuidPattern, format: 'uuid' }),
    (value) => `${shown(value)} is not a valid UUID`,
  ),
  (value) => value.toLowerCase(),
);

/** An id of another resource, branded as such. */
export function uuid<Id extends string>(): Kind<Id> {
  return uuidKind as Kind<Id>;
}

/** `kind`, or null. */
export function nullable<T>(kind: Kind<T>): Kind<T | null> {
  return {
    schema: Type.Union([kind.schema, Type.Null()]),
    parse: (value) => (value === null ? null : kind.parse(value)),
  };
}

/** `kind`; null stands for `instead`, as Neutron has it for a few attributes. */
export function nullMeans<T>(kind: Kind<T>, instead: T): Kind<T> {
  return refined(nullable(kind), (value) => value ?? instead);
}

/** At most `maxItems` of `kind`, in order. `sameness` names an item for the check that none comes twice. */
export function listOf<T>(kind: Kind<T>, maxItems: number, sameness?: (item: T) => string): Kind<readonly T[]> {
  const schema = Type.Array(kind.schema, { maxItems });
  return {
    schema,
    parse: (value) => {
      if (!Array.isArray(value)) return new Refusal(`${shown(value)} is not a list`);
      if (value.length > maxItems)
        return new Refusal(`at most ${maxItems} items are taken, ${value.length} were given`);
      const items: T[] = [];
      for (const item of value) {
        const parsed = kind.parse(item);
        if (parsed instanceof Refusal) return parsed;
        items.push(parsed);
      }
      return sameness === undefined ? items : withoutTwins(items, sameness);
    },
  };
}

function withoutTwins<T>(items: readonly T[], sameness: (item: T) => string): readonly T[] | Refusal {
  const seen = new Set<string>();
  for (const item of items) {
    const name = sameness(item);
    if (seen.has(name)) return new Refusal(`Duplicate items in the list: ${shown(name)}`);
    seen.add(name);
  }
  return items;
}

type Members = Readonly<Record<string, Kind<unknown>>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type Whole<R extends Members, O extends Members> = { readonly [N in keyof R]: ValueOf<R[N]> } & {
  readonly [N in keyof O]?: ValueOf<O[N]>;
};

/** An object with these members and no other. */
export function record<const R extends Members, const O extends Members>(required: R, optional: O): Kind<Whole<R, O>> {
  const members: Members = { ...required, ...optional };
  const schemas = Object.entries(members).map(([name, kind]): [string, TSchema] => [
    name,
    name in required ? kind.schema : Type.Optional(kind.schema),
  ]);
  return {
    schema: Type.Object(Object.fromEntries(schemas), { additionalProperties: false }),
    parse: (value) => parseMembers(members, required, value) as Whole<R, O> | Refusal,
  };
}

function parseMembers(members: Members, required: Members, value: unknown): object | Refusal {
  if (!isRecord(value)) return new Refusal(`${shown(value)} is not a dictionary`);
  const missing = Object.keys(required).filter((name) => !Object.hasOwn(value, name));
  if (missing.length > 0) return new Refusal(`Expected keys not found: ${missing.join(', ')}`);
  const whole: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const kind = Object.hasOwn(members, name) ? members[name] : undefined;
    if (kind === undefined) return new Refusal(`Unexpected key ${shown(name)}`);
    const parsed = kind.parse(member);
    if (parsed instanceof Refusal) return parsed;
    whole[name] = parsed;
  }
  return whole;
}

/** A JSON object (not null, not a list). */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any JSON object, taken as it is. */
export const dictionary: Kind<Readonly<Record<string, unknown>>> = scalar(
  Type.Record(Type.String(), Type.Unknown()),
  (value) => `${shown(value)} is not a dictionary`,
);

/** An instant; written only by the server. */
export const timestamp: Kind<Date> = {
  schema: Type.String({ format: 'date-time' }),
  parse: (value) => {
    const at = new Date(typeof value === 'string' ? value : Number.NaN);
    return Number.isNaN(at.getTime()) ? new Refusal(`${shown(value)} is not a timestamp`) : at;
  },
};
