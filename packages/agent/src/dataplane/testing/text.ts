/** Flows as people read them. */
import { valueText } from '../drivers/packet.ts';
import { instructionsText, maskOf, matchFields, valueOf, type Flow } from '../flow.ts';
import { tableName } from '../pipeline.ts';

/** One line each; sorted, because what a resource wants is a set. */
export function flowsText(flows: readonly Flow[]): string {
  return flows.map(line).sort().join('\n');
}

function line({ table, priority, match, instructions }: Flow): string {
  const fields = matchFields(match).map((field) => {
    const mask = maskOf(match[field]!);
    return `${field}=${valueText(field, valueOf(match[field]!))}${mask === null ? '' : `/${valueText(field, mask)}`}`;
  });
  return `${tableName(table)} ${priority} ${fields.join(',')} → ${instructionsText(instructions, valueText) || 'drop'}`;
}
