import type { Attribute } from './attribute.ts';
import type { Action } from './action.ts';
import type { Route } from './route.ts';
import { type AnyDefinition, type AnyTypes, type Operation, allows, pathOf } from './definition.ts';

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of all resources and routes, made of nothing but their definitions. */
export function openApi(definitions: readonly AnyDefinition[], routes: readonly Route[] = []): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Alcor',
      version: '2.0',
      description: 'The OpenStack Networking API v2.0 and Alcor’s own resources.',
    },
    paths: Object.assign({}, ...definitions.map(pathsOf), routePaths(routes)) as Json,
    components: {
      schemas: Object.assign({ Error: errorSchema }, ...definitions.map(schemasOf)) as Json,
      responses: { Error: { description: 'Refused, or failed', ...json({ $ref: '#/components/schemas/Error' }) } },
    },
  };
}

const errorSchema = {
  type: 'object',
  required: ['NeutronError'],
  properties: {
    NeutronError: {
      type: 'object',
      required: ['type', 'message', 'detail'],
      properties: { type: { type: 'string' }, message: { type: 'string' }, detail: { type: 'string' } },
    },
  },
};

const failure = { default: { $ref: '#/components/responses/Error' } };
const idParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const fieldsParameter = queryParameter('fields', 'Attributes to show; default: all', {
  type: 'array',
  items: { type: 'string' },
});
const ifMatch = {
  name: 'If-Match',
  in: 'header',
  description: 'revision_number=N: only if the resource has this revision',
  schema: { type: 'string' },
};

function json(schema: Json): { readonly content: Json } {
  return { content: { 'application/json': { schema } } };
}

function queryParameter(name: string, description: string, schema: Json): Json {
  return { name, in: 'query', description, schema };
}

/** What a part of another resource is called begins with that one's name: two may have parts of one name. */
function qualified({ parent }: AnyDefinition, name: string): string {
  return parent === undefined ? name : `${parent.definition.singular}_${name}`;
}

function nameOf(definition: AnyDefinition): string {
  return qualified(definition, definition.singular).replaceAll(/(?:^|[_-])(\w)/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}

function wrapped(key: string, schema: Json): Json {
  return { type: 'object', required: [key], properties: { [key]: schema } };
}

/** `:id` in a route is `{id}` in the document. */
export function documentPath(definition: AnyDefinition): string {
  return spelled(pathOf(definition));
}

function spelled(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function pathsOf(definition: AnyDefinition): Json {
  const path = documentPath(definition);
  const parents = definition.parent === undefined ? [] : [{ ...idParameter, name: 'parentId' }];
  const all = operationsOf(definition);
  const only = (named: Readonly<Record<string, Operation>>): Json =>
    Object.fromEntries(
      Object.entries(named).flatMap(([method, operation]) =>
        allows(definition, operation) ? [[method, { tags: [definition.plural], ...all[operation] }]] : [],
      ),
    );
  const actions = Object.entries(definition.actions ?? {}).map(([name, action]) => [
    `${path}/{id}/${name}`,
    { parameters: [...parents, idParameter], [action.method.toLowerCase()]: actionOf(definition, name, action) },
  ]);
  return {
    [path]: { parameters: parents, ...only({ get: 'list', post: 'create' }) },
    [`${path}/{id}`]: {
      parameters: [...parents, idParameter],
      ...only({ get: 'show', put: 'update', delete: 'delete' }),
    },
    ...Object.fromEntries(actions),
  };
}

function operationsOf(definition: AnyDefinition): Readonly<Record<Operation, Json>> {
  const { singular, plural } = definition;
  const [ownName, ownPlural] = [qualified(definition, singular), qualified(definition, plural)];
  const refTo = (suffix: string): Json => ({ $ref: `#/components/schemas/${nameOf(definition)}${suffix}` });
  const one = { description: definition.about, ...json(wrapped(singular, refTo(''))) };
  const many = wrapped(plural, { type: 'array', items: refTo('') });
  const single = wrapped(singular, refTo('Create'));
  const bulk = wrapped(plural, { type: 'array', items: refTo('Create'), minItems: 1 });
  const created = { description: 'Made, all of them', ...json({ anyOf: [wrapped(singular, refTo('')), many] }) };
  return {
    list: {
      operationId: `list_${ownPlural}`,
      parameters: listParameters(definition),
      responses: { 200: { description: plural, ...json(many) }, ...failure },
    },
    create: {
      operationId: `create_${ownPlural}`,
      requestBody: { required: true, ...json({ anyOf: [single, bulk] }) },
      responses: { 201: created, ...failure },
    },
    show: { operationId: `show_${ownName}`, parameters: [fieldsParameter], responses: { 200: one, ...failure } },
    update: {
      operationId: `update_${ownName}`,
      parameters: [ifMatch],
      requestBody: { required: true, ...json(wrapped(singular, refTo('Update'))) },
      responses: { 200: one, ...failure },
    },
    delete: {
      operationId: `delete_${ownName}`,
      parameters: [ifMatch],
      responses: { 204: { description: 'Gone' }, ...failure },
    },
  };
}

function actionOf(definition: AnyDefinition, name: string, action: Action): Json {
  const bare = bodySchema(action);
  const answer =
    action.answers === 'view'
      ? wrapped(definition.singular, { $ref: `#/components/schemas/${nameOf(definition)}` })
      : { type: 'object' };
  return {
    tags: [definition.plural],
    operationId: `${definition.singular}_${name.replaceAll('-', '_')}`,
    summary: action.about,
    ...(action.method === 'GET' ? {} : { requestBody: json(action.root === null ? bare : wrapped(action.root, bare)) }),
    responses: { [action.status]: { description: action.about, ...json(answer) }, ...failure },
  };
}

function bodySchema({ required, optional }: Pick<Action, 'required' | 'optional'>): Json {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: Object.fromEntries(
      Object.entries({ ...required, ...optional }).map(([attribute, { schema }]) => [attribute, schema]),
    ),
    additionalProperties: false,
  };
}

function routePaths(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const item = (paths[spelled(route.path)] ??= route.path.endsWith('/:id') ? { parameters: [idParameter] } : {});
    item[route.method.toLowerCase()] = routeOperation(route);
  }
  return paths;
}

function routeOperation({ method, path, about, tag, query, root, required, optional, status, answers }: Route): Json {
  const bare = bodySchema({ required, optional });
  const type = answers.each === 'line' ? 'application/x-ndjson' : 'application/json';
  return {
    tags: [tag],
    operationId: `${method.toLowerCase()}_${path.replaceAll(/[/:-]+/g, '_').replace(/^_(?:alcor_v1|v2\.0)_/, '')}`,
    summary: about,
    parameters: Object.entries(query).map(([name, { schema }]) => queryParameter(name, name, { ...schema })),
    ...(method === 'GET' || method === 'DELETE'
      ? {}
      : { requestBody: json(root === null ? bare : wrapped(root, bare)) }),
    responses: {
      [status]: { description: about, ...(status === 204 ? {} : { content: { [type]: { schema: answers.schema } } }) },
      ...failure,
    },
  };
}

function listParameters(definition: AnyDefinition): readonly Json[] {
  const attributes = Object.entries(definition.attributes);
  const sortKeys = attributes.filter(([, { sort }]) => sort !== null).map(([name]) => name);
  const filters = attributes
    .filter(([, { filter, visible }]) => filter !== null && visible)
    .map(([name]) =>
      queryParameter(name, `Only where ${name} is one of these`, { type: 'array', items: { type: 'string' } }),
    );
  return [
    ...filters,
    fieldsParameter,
    queryParameter('sort_key', 'Order by these', { type: 'array', items: { enum: sortKeys } }),
    queryParameter('sort_dir', 'One for each sort_key', { type: 'array', items: { enum: ['asc', 'desc'] } }),
    queryParameter('limit', 'At most so many', { type: 'integer', minimum: 0 }),
    queryParameter('marker', 'The id before the first one wanted', { type: 'string' }),
    queryParameter('page_reverse', 'The page before the marker', { type: 'boolean' }),
  ];
}

function schemasOf(definition: AnyDefinition): Json {
  const name = nameOf(definition);
  const attributes = Object.entries(definition.attributes);
  const taken = attributes.filter(([, { post }]) => post.rule !== 'never');
  return {
    [name]: objectOf(attributes.filter(([, { visible }]) => visible)),
    [`${name}Create`]: {
      ...objectOf(taken),
      required: taken.filter(([, { post }]) => post.rule === 'required').map(([attribute]) => attribute),
      additionalProperties: false,
    },
    [`${name}Update`]: { ...objectOf(attributes.filter(([, { put }]) => put)), additionalProperties: false },
  };
}

function objectOf(attributes: readonly (readonly [string, Attribute<AnyTypes['view']>])[]): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(attributes.map(([name, attribute]) => [name, schemaOf(attribute)])),
  };
}

function schemaOf({ kind, about, post, put, source }: Attribute<AnyTypes['view']>): Json {
  return {
    ...kind.schema,
    description: about,
    ...(post.rule === 'initial' ? { default: post.value } : {}),
    ...(post.rule === 'never' && !put ? { readOnly: true } : {}),
    ...(source.from === 'constant' ? { const: source.value } : {}),
  };
}
