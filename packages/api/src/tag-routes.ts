import { refusal } from '@alcor/network';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badRequest, invalid } from './body.ts';
import { type AnyDefinition, type AnyTypes, pathOf } from './definition.ts';
import { find } from './finder.ts';
import { judge } from './judge.ts';
import { Refusal, isRecord, listOf, text } from './kinds.ts';
import { policyOf } from './policy.ts';
import type { RouteContext } from './resource-routes.ts';

const label = text(60);
const labels = listOf(label, 50);

/** `…/{id}/tags` and `…/{id}/tags/{tag}` of a resource that has labels, on each of its paths. */
export function addTagRoutes(app: FastifyInstance, definition: AnyDefinition, context: RouteContext): void {
  const { prefix, labelPath } = definition;
  addRoutesAt(pathOf(definition), app, definition, context);
  if (labelPath !== undefined) addRoutesAt(`${prefix}/${labelPath}`, app, definition, context);
}

function addRoutesAt(base: string, app: FastifyInstance, definition: AnyDefinition, context: RouteContext): void {
  const { store, callerOf } = context;
  const { retag } = definition.collection(store);
  if (retag === undefined || !Object.hasOwn(definition.attributes, 'tags')) return;
  const policy = policyOf(definition, context.overrides);
  const path = `${base}/:id/tags`;

  const found = async (request: FastifyRequest): Promise<{ readonly id: string; readonly tags: readonly string[] }> => {
    const { view } = await find(definition, store, callerOf(request), request.params as { id: string });
    return { id: view.id, tags: (view as AnyTypes['view'] & { readonly tags: readonly string[] }).tags };
  };
  const writable = async (
    request: FastifyRequest,
  ): Promise<{ readonly id: string; readonly tags: readonly string[] }> => {
    const caller = callerOf(request);
    const located = await find(definition, store, caller, request.params as { id: string });
    await judge({ definition, policy, store, caller }, 'label', located);
    return located.view as unknown as { readonly id: string; readonly tags: readonly string[] };
  };

  app.get(path, async (request) => ({ tags: (await found(request)).tags }));

  app.put(path, async (request) => {
    const tags = readTags(request.body);
    const { id } = await writable(request);
    return { tags: await retag(id, { how: 'replace', tags }) };
  });

  app.delete(path, async (request, reply) => {
    const { id } = await writable(request);
    await retag(id, { how: 'replace', tags: [] });
    return reply.code(204).send();
  });

  app.get(`${path}/:tag`, async (request, reply) => {
    const tag = tagOf(request);
    if (!(await found(request)).tags.includes(tag)) throw refusal('TagNotFound', { tag });
    return reply.code(204).send();
  });

  app.put(`${path}/:tag`, async (request, reply) => {
    const tag = tagOf(request);
    const { id } = await writable(request);
    await retag(id, { how: 'add', tag });
    return reply.code(201).send();
  });

  app.delete(`${path}/:tag`, async (request, reply) => {
    const tag = tagOf(request);
    const { id, tags } = await writable(request);
    if (!tags.includes(tag)) throw refusal('TagNotFound', { tag });
    await retag(id, { how: 'remove', tag });
    return reply.code(204).send();
  });
}

function tagOf(request: FastifyRequest): string {
  const { tag = '' } = request.params as { readonly tag?: string };
  const parsed = label.parse(tag);
  if (parsed instanceof Refusal) throw invalid('tag', parsed.reason);
  return parsed;
}

function readTags(body: unknown): readonly string[] {
  if (!isRecord(body) || !Object.hasOwn(body, 'tags')) throw badRequest('Invalid tags body');
  const parsed = labels.parse(body['tags']);
  if (parsed instanceof Refusal) throw invalid('tags', parsed.reason);
  return parsed;
}
