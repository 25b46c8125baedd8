import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fetchOne } from '../collection.ts';
import { role } from '../definitions.ts';
import type { Json } from '../json-shape.ts';
import { badRequest, notFound } from '../problem.ts';
import type { Named } from '../scope.ts';
import { type Context, administrator, paramOf, reader } from './context.ts';
import { baseOf, selfOf } from './render.ts';

interface Implication {
  readonly prior: Named;
  readonly implied: Named;
}

/** Which role brings which. */
export function addImpliedRoleRoutes(app: FastifyInstance, context: Context): void {
  const { store } = context;
  const path = '/v3/roles/:prior/implies';
  const find = (where: string, values: readonly string[]): Promise<readonly Implication[]> =>
    store.db.query<Implication>(
      `select jsonb_build_object('id', p.id, 'name', p.name) as prior, jsonb_build_object('id', r.id, 'name', r.name) as implied
       from identity.implied_roles i join identity.roles p on p.id = i.prior_id join identity.roles r on r.id = i.implied_id
       where ${where} order by p.name, r.name`,
      values,
    );
  const one = async (request: FastifyRequest): Promise<Implication> => {
    const [found] = await find('i.prior_id = $1 and i.implied_id = $2', pairOf(request));
    if (found === undefined) throw notFound('role inference', paramOf(request, 'implied'));
    return found;
  };

  app.get('/v3/role_inferences', async (request) => {
    await reader(context, request, 'list_role_inference_rules');
    return { role_inferences: grouped(await find('true', []), baseOf(request)) };
  });
  app.get(path, async (request) => {
    await reader(context, request, 'list_implied_roles');
    const prior = await fetchOne(store.db, role, paramOf(request, 'prior'));
    const all = await find('i.prior_id = $1', [prior.id]);
    const base = baseOf(request);
    const inference = {
      prior_role: linked({ id: prior.id, name: String(prior['name']) }, base),
      implies: all.map(({ implied }) => linked(implied, base)),
    };
    return { role_inference: inference, links: { self: selfOf(request) } };
  });
  // Without content, unlike the answer to GET.
  app.head(`${path}/:implied`, async (request, reply) => {
    await reader(context, request, 'check_implied_role');
    await one(request);
    return reply.code(204).send();
  });
  app.get(`${path}/:implied`, async (request) => {
    await reader(context, request, 'get_implied_role');
    return inferenceOf(await one(request), request);
  });
  app.put(`${path}/:implied`, async (request, reply) => {
    await administrator(context, request, 'create_implied_role');
    const [prior, implied] = pairOf(request);
    await store.write(async (tx) => {
      for (const id of [prior, implied]) await fetchOne(tx, role, id);
      // Keystone's rule: being the administrator is granted, never implied.
      const { name } = await fetchOne(tx, role, implied);
      if (name === 'admin' || prior === implied) throw badRequest('The role cannot be implied.');
      await tx.query(
        'insert into identity.implied_roles (prior_id, implied_id) values ($1, $2) on conflict do nothing',
        [prior, implied],
      );
    });
    return reply.code(201).send(inferenceOf(await one(request), request));
  });
  app.delete(`${path}/:implied`, async (request, reply) => {
    await administrator(context, request, 'delete_implied_role');
    await one(request);
    await store.write((tx) =>
      tx.query('delete from identity.implied_roles where prior_id = $1 and implied_id = $2', pairOf(request)),
    );
    return reply.code(204).send();
  });
}

function pairOf(request: FastifyRequest): [string, string] {
  return [paramOf(request, 'prior'), paramOf(request, 'implied')];
}

function inferenceOf({ prior, implied }: Implication, request: FastifyRequest): Json {
  const base = baseOf(request);
  const inference = { prior_role: linked(prior, base), implies: linked(implied, base) };
  return { role_inference: inference, links: { self: selfOf(request) } };
}

function grouped(all: readonly Implication[], base: string): readonly Json[] {
  const byPrior = new Map<string, { readonly prior_role: Json; readonly implies: Json[] }>();
  for (const { prior, implied } of all) {
    const entry = byPrior.get(prior.id) ?? { prior_role: linked(prior, base), implies: [] };
    byPrior.set(prior.id, entry);
    entry.implies.push(linked(implied, base));
  }
  return [...byPrior.values()];
}

function linked({ id, name }: Named, base: string): Json {
  return { id, name, links: { self: `${base}/v3/roles/${id}` } };
}
