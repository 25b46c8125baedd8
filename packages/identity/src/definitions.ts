import type { Attribute, Definition } from './definition.ts';

const attribute = (kind: Attribute['kind'], rules: Partial<Attribute> = {}): Attribute => ({
  kind,
  need: 'optional',
  change: 'allowed',
  ...rules,
});
const text = (from: number, to: number, rules?: Partial<Attribute>): Attribute =>
  attribute({ is: 'text', from, to, null: 'no' }, rules);
const textOrNull = (to: number, rules?: Partial<Attribute>): Attribute =>
  attribute({ is: 'text', from: 0, to, null: 'yes' }, rules);
const flag = attribute({ is: 'flag' });
const tags = attribute({ is: 'tags' });

/** Text that no form field exceeds; a body is limited as well. */
const long = 65_535;
const required = { need: 'required' } as const;
const name = text(1, 255, required);
/** Projects are at most 64 characters in Keystone, too. */
const shortName = text(1, 64, required);
const description = textOrNull(long);
const domainId = text(1, 64, { change: 'never' });
const made = { id: 'made', ignored: ['links'], special: [], constant: {} } as const;

export const domain: Definition = {
  ...made,
  singular: 'domain',
  plural: 'domains',
  attributes: { name: shortName, description, enabled: flag, tags },
  constant: { options: {} },
};

export const project: Definition = {
  ...made,
  singular: 'project',
  plural: 'projects',
  attributes: {
    name: shortName,
    domain_id: domainId,
    parent_id: textOrNull(64, { change: 'never' }),
    description,
    enabled: flag,
    tags,
  },
  special: ['is_domain'],
  constant: { is_domain: false, options: {} },
};

export const user: Definition = {
  ...made,
  singular: 'user',
  plural: 'users',
  attributes: { name, domain_id: domainId, enabled: flag, default_project_id: textOrNull(64) },
  ignored: ['links', 'password_expires_at'],
  special: ['password', 'original_password'],
  constant: { password_expires_at: null, options: {} },
};

export const group: Definition = {
  ...made,
  singular: 'group',
  plural: 'groups',
  attributes: { name: shortName, domain_id: domainId, description },
};

export const role: Definition = {
  ...made,
  singular: 'role',
  plural: 'roles',
  attributes: { name, description },
  special: ['domain_id'],
  constant: { domain_id: null, options: {} },
};

export const region: Definition = {
  ...made,
  singular: 'region',
  plural: 'regions',
  id: 'given',
  attributes: { description, parent_region_id: textOrNull(255) },
};

export const service: Definition = {
  ...made,
  singular: 'service',
  plural: 'services',
  attributes: { type: text(1, 255, required), name: textOrNull(255), description, enabled: flag },
};

export const endpoint: Definition = {
  ...made,
  singular: 'endpoint',
  plural: 'endpoints',
  attributes: {
    service_id: text(1, 64, required),
    region_id: textOrNull(255),
    interface: attribute({ is: 'choice', of: ['public', 'internal', 'admin'] }, required),
    url: text(1, 2048, required),
    enabled: flag,
  },
  special: ['region'],
};

export const definitions: readonly Definition[] = [domain, project, user, group, role, region, service, endpoint];
