import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Json } from '../json-shape.ts';
import { baseOf } from './render.ts';

/** What of Keystone's API is spoken: that of the Zed release. */
const version = { id: 'v3.14', status: 'stable', updated: '2020-04-07T00:00:00Z' };
const mediaTypes = [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }];

/** The documents by which clients find their way. */
export function addVersionRoutes(app: FastifyInstance): void {
  app.get('/', (request, reply) => reply.code(300).send({ versions: { values: [document(request)] } }));
  app.get('/v3', (request) => ({ version: document(request) }));
}

function document(request: FastifyRequest): Json {
  const links = [{ rel: 'self', href: `${baseOf(request)}/v3/` }];
  return { ...version, links, 'media-types': mediaTypes };
}
