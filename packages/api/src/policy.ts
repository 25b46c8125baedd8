import type { Caller } from '@alcor/identity';
import { refusal } from '@alcor/network';
import type { AnyDefinition, Operation } from './definition.ts';

/** What the rules look at besides the caller. */
export interface Target {
  /** Whose the resource is, or will be; undefined where it is nobody's. */
  readonly projectId?: string | undefined;
  /** Whose network it is on. */
  readonly networkProjectId?: string | undefined;
}

const writers: ReadonlySet<string> = new Set(['member', 'manager']);

/** The rules by name. The administrator passes all of them but `nobody`. */
const judges = {
  anyone: () => true,
  /** Anyone of the project. */
  reader: (caller, { projectId }) => projectId === undefined || isOwn(caller, projectId),
  /** Those that may write in their own project. */
  writer: (caller) => mayWrite(caller),
  /** Those of the project that may write. */
  member: (caller, { projectId }) => mayWrite(caller) && (projectId === undefined || isOwn(caller, projectId)),
  /** Those that may write of the project that has the network. */
  'network owner': (caller, { networkProjectId }) =>
    mayWrite(caller) && networkProjectId !== undefined && isOwn(caller, networkProjectId),
  /** Another service of the cloud. */
  service: ({ roles }) => roles.includes('service') || roles.includes('advsvc'),
  admin: () => false,
  nobody: () => false,
} as const satisfies Readonly<Record<string, (caller: Caller, target: Target) => boolean>>;

export type Rule = keyof typeof judges;
/** One rule, or several of which one must hold. */
export type Who = Rule | readonly Rule[];

export const ruleNames = Object.keys(judges) as readonly Rule[];

/** Who may do what with a resource: Neutron's defaults, as far as they differ from those of the resource's tenancy. */
export interface ResourcePolicy {
  readonly create?: Who;
  /** Lists and single ones. Others do not see that there are any. */
  readonly get?: Who;
  /** Single ones, where that is fewer: the others are refused. */
  readonly show?: Who;
  readonly update?: Who;
  readonly delete?: Who;
  /** Who may label one that they see. Default: whoever may update. */
  readonly label?: Who;
  /** What those are told who see one and may not change it. Default: that it is forbidden. */
  readonly refusal?: 'not found';
  /** Default of each action: whoever may update. */
  readonly actions?: Readonly<Record<string, Who>>;
  /** The field that holds the id of the network that `network owner` speaks of. */
  readonly networkField?: string;
}

/** Who may set and see an attribute; default: whoever may write and see the resource. */
export interface Access {
  readonly create?: Who;
  readonly update?: Who;
  readonly read?: Who;
  /** Who may set these members of an attribute that is an object (or a list of them), or these values of one that is text. */
  readonly members?: Readonly<Record<string, Who>>;
}

/** For the administrator's eyes and hands only. */
export const adminOnly: Access = { create: 'admin', update: 'admin', read: 'admin' };
/** Everyone sees it, the administrator sets it. */
export const adminSets: Access = { create: 'admin', update: 'admin' };

/** Rules that a region has instead of the defaults, by their names: `create_network:shared`. */
export type PolicyOverrides = ReadonlyMap<string, Who>;

/** The rules of one resource as they hold in this region. */
export interface Policy {
  readonly of: (operation: Operation | 'label' | { readonly action: string }) => Who;
  readonly attribute: (use: 'create' | 'update' | 'get', name: string, member?: string) => Who;
}

export function holds(who: Who, caller: Caller, target: Target): boolean {
  const any = (rules: readonly Rule[]): boolean => rules.some((rule) => judges[rule](caller, target));
  const rules = typeof who === 'string' ? [who] : who;
  return caller.isAdmin ? !rules.every((rule) => rule === 'nobody') : any(rules);
}

export function policyOf(definition: AnyDefinition, overrides: PolicyOverrides): Policy {
  const { singular, attributes } = definition;
  const defaults = defaultsOf(definition);
  const ofVerb = (verb: Verb): Who => overrides.get(`${verb}_${singular}`) ?? defaults[verb];
  return {
    of: (operation) => {
      if (typeof operation === 'object') {
        return overrides.get(operation.action) ?? definition.policy?.actions?.[operation.action] ?? defaults.update;
      }
      if (operation === 'label') {
        return overrides.get(`update_${singular}_tags`) ?? definition.policy?.label ?? ofVerb('update');
      }
      return ofVerb(operation === 'list' || operation === 'show' ? 'get' : operation);
    },
    attribute: (use, name, member) => {
      const access = attributes[name]?.access;
      const key = `${use}_${singular}:${name}`;
      if (member !== undefined) return overrides.get(`${key}:${member}`) ?? memberRule(access, member);
      return overrides.get(key) ?? access?.[use === 'get' ? 'read' : use] ?? 'anyone';
    },
  };
}

function memberRule({ members = {} }: Access = {}, member: string): Who {
  return Object.hasOwn(members, member) ? (members[member] ?? 'anyone') : 'anyone';
}

type Verb = 'create' | 'get' | 'update' | 'delete';

function defaultsOf({ tenancy, policy = {} }: AnyDefinition): Readonly<Record<Verb, Who>> {
  const write: Who = tenancy === 'project' ? 'member' : 'admin';
  const get: Who = tenancy === 'project' ? 'anyone' : 'admin';
  return { create: write, get, update: write, delete: write, ...policy };
}

/** Every name that a rule can have. */
export function policyNames(definitions: readonly AnyDefinition[]): ReadonlySet<string> {
  return new Set(definitions.flatMap(namesOf));
}

function namesOf({ singular, attributes, actions = {} }: AnyDefinition): readonly string[] {
  const verbs = ['create', 'get', 'update', 'delete'].map((verb) => `${verb}_${singular}`);
  const fine = Object.entries(attributes).flatMap(([name, { access }]) =>
    ['create', 'get', 'update'].flatMap((verb) => {
      const key = `${verb}_${singular}:${name}`;
      return [key].concat(Object.keys(access?.members ?? {}).map((member) => `${key}:${member}`));
    }),
  );
  return [...verbs, `update_${singular}_tags`, ...fine, ...Object.keys(actions)];
}

/** Refuses with 403 what the caller may not do, of things that are nobody's. */
export function checkRule(
  rule: string,
  who: Who,
  { caller, overrides }: { readonly caller: Caller; readonly overrides: PolicyOverrides },
): void {
  if (!holds(overrides.get(rule) ?? who, caller, {})) refuse([rule]);
}

/** Refuses with 403, naming the rules as Neutron does. */
export function refuse(names: readonly string[]): never {
  const [first = '', ...rest] = names.map((name) => `rule:${name}`);
  throw refusal('PolicyNotAuthorized', { rule: rest.length === 0 ? first : `(${first} and ${rest.join(' and ')})` });
}

function mayWrite({ roles }: Caller): boolean {
  return roles.some((role) => writers.has(role));
}

function isOwn(caller: Caller, projectId: string): boolean {
  return projectId !== '' && caller.projectId === projectId;
}
