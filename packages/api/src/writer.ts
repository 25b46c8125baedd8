import type { AnyDefinition, AnyTypes } from './definition.ts';

/** Writes one row as JSON text. */
export type RowWriter = (view: AnyTypes['view']) => string;

/** A function that writes rows with the wanted attributes (null: all); constant attributes are serialised once, here. */
export function rowWriter(definition: AnyDefinition, fields: ReadonlySet<string> | null): RowWriter {
  const parts = Object.entries(definition.attributes)
    .filter(([name, attribute]) => attribute.visible && (fields === null || fields.has(name)))
    .map(([name, { source }], index): RowWriter => {
      const key = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`;
      if (source.from !== 'constant') return (view) => key + JSON.stringify(source.wire(view));
      const text = key + JSON.stringify(source.value);
      return () => text;
    });
  if (parts.length === 0) return () => '{}';
  return (view) => {
    let text = '';
    for (const part of parts) text += part(view);
    return `${text}}`;
  };
}

/** One row as it is written, for answers that hold it inside another. */
export function wireRow(definition: AnyDefinition, view: AnyTypes['view']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definition.attributes)
      .filter(([, { visible }]) => visible)
      .map(([name, { source }]) => [name, source.from === 'constant' ? source.value : source.wire(view)]),
  );
}
