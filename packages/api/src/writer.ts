import type { Caller } from '@alcor/identity';
import type { AnyDefinition, AnyTypes } from './definition.ts';
import { jsonText } from './raw-json.ts';
import { type Policy, type Who, holds } from './policy.ts';

/** Writes one row as JSON text, for the eyes of `caller`. */
export type RowWriter = (view: AnyTypes['view'], caller: Caller) => string;

type Part = (view: AnyTypes['view'], caller: Caller) => unknown;

/** A function that writes rows with the wanted attributes (null: all); constant attributes are serialised once, here. */
export function rowWriter(definition: AnyDefinition, policy: Policy, fields: ReadonlySet<string> | null): RowWriter {
  const parts = Object.entries(definition.attributes)
    .filter(([name, attribute]) => attribute.visible && (fields === null || fields.has(name)))
    .map(([name, { source }]) => {
      const key = `,${JSON.stringify(name)}:`;
      const constant = source.from === 'constant' ? key + JSON.stringify(source.value) : '';
      const write: Part =
        source.from === 'constant' ? () => constant : (view, caller) => key + jsonText(source.wire(view, caller));
      return guarded(write, policy.attribute('get', name));
    });
  return (view, caller) => {
    let text = '';
    for (const part of parts) text += part(view, caller);
    return `{${text.slice(1)}}`;
  };
}

/** Nothing, for those who may not see it. */
function guarded(write: Part, who: Who): Part {
  if (who === 'anyone') return write;
  return (view, caller) => {
    return holds(who, caller, view) ? write(view, caller) : '';
  };
}

/** One row as it is written, for answers that hold it inside another. */
export function wireRow(
  definition: AnyDefinition,
  view: AnyTypes['view'],
  caller: Caller,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definition.attributes)
      .filter(([, { visible }]) => visible)
      .map(([name, { source }]) => [name, source.from === 'constant' ? source.value : source.wire(view, caller)]),
  );
}
