import type { Caller, Identity } from '@alcor/identity';
import { AlcorError } from '@alcor/network';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What anyone may read: where the versions are, and how the API is spoken. */
const open: ReadonlySet<string> = new Set(['/', '/openapi.json']);

/**
 * Has every request name its caller before anything else is looked at, its body included: a stranger is answered 401 and told
 * where to log in. Gives the function that says who sent a request.
 */
export function addAuthentication(app: FastifyInstance, identity: Identity): (request: FastifyRequest) => Caller {
  const callers = new WeakMap<FastifyRequest, Caller>();

  app.addHook('onRequest', async (request, reply) => {
    if (open.has(request.url.split('?', 1)[0] ?? '')) return;
    try {
      const token = request.headers['x-auth-token'];
      callers.set(request, await identity.authenticate(typeof token === 'string' ? token : '', request.headers));
    } catch (error) {
      const isStranger = error instanceof AlcorError && error.status === 401;
      if (isStranger && identity.challenge !== undefined) reply.header('www-authenticate', identity.challenge);
      throw error;
    }
  });

  return (request) => {
    const caller = callers.get(request);
    if (caller === undefined)
      throw new AlcorError('Unauthorized', 'The request you have made requires authentication.');
    return caller;
  };
}
