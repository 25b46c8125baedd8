import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AnyDefinition, pathOf } from './definition.ts';
import { notFound, sendError } from './errors.ts';
import { extensions } from './extensions.ts';

const prefix = '/v2.0';

/** The documents by which clients find their way: versions, resources, extensions. */
export function addVersionRoutes(app: FastifyInstance, definitions: readonly AnyDefinition[]): void {
  app.get('/', (request) => ({
    versions: [{ id: 'v2.0', status: 'CURRENT', links: [linkTo(request, `${prefix}/`)] }],
  }));

  app.get(prefix, (request) => ({
    resources: definitions
      .filter((definition) => definition.prefix === prefix && definition.parent === undefined)
      .map((definition) => ({
        name: definition.singular,
        collection: definition.plural,
        links: [linkTo(request, pathOf(definition))],
      })),
  }));

  app.get(`${prefix}/extensions`, () => ({ extensions }));

  app.get(`${prefix}/extensions/:alias`, (request, reply) => {
    const { alias = '' } = request.params as { readonly alias?: string };
    const extension = extensions.find((one) => one.alias === alias);
    if (extension !== undefined) return { extension };
    return sendError(reply, notFound(`Extension with alias ${alias} does not exist`));
  });
}

function linkTo(request: FastifyRequest, path: string): { readonly rel: 'self'; readonly href: string } {
  return { rel: 'self', href: `${request.protocol}://${request.host}${path}` };
}
