import type { FastifyRequest } from 'fastify';
import { ownRoles } from '../bootstrap.ts';
import type { Row } from '../collection.ts';
import type { Definition } from '../definition.ts';
import type { Json } from '../json-shape.ts';

/** Where the client found us: links lead back there, whatever stands between. */
export function baseOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

/** A resource as an answer has it. What the client added may not hide what the server says. */
export function render(definition: Definition, { extra, ...row }: Row, base: string): Json {
  const self = `${base}/v3/${definition.plural}/${encodeURIComponent(row.id)}`;
  return { ...extra, ...definition.constant, ...seen(definition, row), links: { self } };
}

/** A list with the links that Keystone gives it; lists come whole. */
export function list(name: string, items: readonly Json[], self: string): Json {
  return { [name]: items, links: { next: null, self, previous: null } };
}

/** The request's own address. */
export function selfOf(request: FastifyRequest): string {
  return `${baseOf(request)}${request.url}`;
}

/** What differs between the column and the answer, for the few that differ. */
function seen({ singular }: Definition, row: Json): Json {
  switch (singular) {
    // A project at the top is a child of its domain.
    case 'project':
      return { ...row, parent_id: row['parent_id'] ?? row['domain_id'] };
    case 'endpoint':
      return { ...row, region: row['region_id'] };
    case 'role':
      return ownRoles.includes(String(row['name'])) ? { ...row, options: { immutable: true } } : row;
    // What was never given is not there.
    case 'user':
      return without(row, 'default_project_id');
    case 'service':
      return without(row, 'description');
    default:
      return row;
  }
}

/** The row, less the member where it is null. */
function without(row: Json, name: string): Json {
  const { [name]: value, ...rest } = row;
  return value === null ? rest : row;
}
