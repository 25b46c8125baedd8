import { routingErrors } from './routing-errors.ts';
import { addressingErrors } from './addressing-errors.ts';
import { segmentErrors } from './segment-errors.ts';
import { serviceErrors } from './service-errors.ts';
import { securityErrors } from './security-errors.ts';

/** What an entry of the table says of a refusal. */
export interface ErrorKind {
  /** HTTP status that answers it. */
  readonly status: 400 | 401 | 403 | 404 | 409 | 410 | 412 | 500 | 503;
  /** Neutron's name for it, the `type` of an error body. */
  readonly type: string;
  /** `{name}` is replaced by the parameter of that name. */
  readonly message: string;
}

/** Every refusal and failure of the region, once: code → HTTP status, Neutron's type, words. */
export const errorTable = {
  ...securityErrors,
  NetworkNotFound: { status: 404, type: 'NetworkNotFound', message: 'Network {networkId} could not be found.' },
  SubnetNotFound: { status: 404, type: 'SubnetNotFound', message: 'Subnet {subnetId} could not be found.' },
  PortNotFound: { status: 404, type: 'PortNotFound', message: 'Port {portId} could not be found.' },
  NodeNotFound: { status: 404, type: 'NodeNotFound', message: 'Node {nodeId} could not be found.' },

  PortCountersUnavailable: {
    status: 409,
    type: 'PortCountersUnavailable',
    message: 'Nothing is counted for port {portId}: {reason}.',
  },

  NetworkInUse: {
    status: 409,
    type: 'NetworkInUse',
    message:
      'Unable to complete operation on network {networkId}. There are one or more ports still in use on the network.',
  },
  SubnetInUse: {
    status: 409,
    type: 'SubnetInUse',
    message:
      'Unable to complete operation on subnet {subnetId}: One or more ports have an IP allocation from this subnet.',
  },
  NodeInUse: {
    status: 409,
    type: 'NodeInUse',
    message: 'Unable to complete operation on node {nodeId}: One or more ports are bound to it.',
  },
  NodeDraining: {
    status: 409,
    type: 'NodeDraining',
    message: 'Unable to bind a port to node {nodeId}: it is draining.',
  },
  NodeFull: {
    status: 409,
    type: 'NodeFull',
    message: 'Unable to bind a port to node {nodeId}: it takes no more than {maxPorts} ports.',
  },
  NodeExists: { status: 409, type: 'NodeExists', message: 'Unable to register the node: {field} {value} is taken.' },
  TunnelIdInUse: {
    status: 409,
    type: 'TunnelIdInUse',
    message: 'Unable to create the network. The tunnel ID {vni} is in use.',
  },
  FlatNetworkInUse: {
    status: 409,
    type: 'FlatNetworkInUse',
    message: 'Unable to create the flat network. Physical network {physicalNetwork} is in use.',
  },
  VlanIdInUse: {
    status: 409,
    type: 'VlanIdInUse',
    message: 'Unable to create the network. The VLAN {vlan} on physical network {physicalNetwork} is in use.',
  },
  NoNetworkAvailable: {
    status: 503,
    type: 'NoNetworkAvailable',
    message: 'Unable to create the network. No tenant network is available for allocation.',
  },

  IpAddressAlreadyAllocated: {
    status: 409,
    type: 'IpAddressAlreadyAllocated',
    message: 'IP address {ip} already allocated in subnet {subnetId}.',
  },
  IpAddressGenerationFailure: {
    status: 409,
    type: 'IpAddressGenerationFailure',
    message: 'No more IP addresses available on network {networkId}.',
  },
  InvalidIpForSubnet: {
    status: 400,
    type: 'InvalidIpForSubnet',
    message: 'IP address {ip} is not a valid IP for the specified subnet.',
  },
  InvalidIpForNetwork: {
    status: 400,
    type: 'InvalidIpForNetwork',
    message: 'IP address {ip} is not a valid IP for any of the subnets on the specified network.',
  },
  GatewayIpInUse: {
    status: 409,
    type: 'GatewayIpInUse',
    message: 'Current gateway ip {ip} already in use by port {portId}. Unable to update.',
  },
  GatewayConflictWithAllocationPools: {
    status: 409,
    type: 'GatewayConflictWithAllocationPools',
    message: 'Gateway ip {ip} conflicts with allocation pool {pool}.',
  },
  InvalidAllocationPool: {
    status: 400,
    type: 'InvalidAllocationPool',
    message: 'The allocation pool {pool} is not valid.',
  },
  OutOfBoundsAllocationPool: {
    status: 400,
    type: 'OutOfBoundsAllocationPool',
    message: 'The allocation pool {pool} spans beyond the subnet cidr {cidr}.',
  },
  OverlappingAllocationPools: {
    status: 409,
    type: 'OverlappingAllocationPools',
    message: 'Found overlapping allocation pools: {pool} {other} for subnet {cidr}.',
  },
  MacAddressInUse: {
    status: 409,
    type: 'MacAddressInUse',
    message: 'Unable to complete operation for network {networkId}. The mac address {mac} is in use.',
  },
  MacAddressGenerationFailure: {
    status: 503,
    type: 'MacAddressGenerationFailure',
    message: 'Unable to generate unique mac on network {networkId}.',
  },
  ...addressingErrors,

  ...routingErrors,

  ...serviceErrors,

  ...segmentErrors,

  RbacPolicyNotFound: {
    status: 404,
    type: 'RbacPolicyNotFound',
    message: 'RBAC policy {policyId} could not be found.',
  },
  OverQuota: { status: 409, type: 'OverQuota', message: "Quota exceeded for resources: ['{resources}']." },
  QuotaBelowUsage: {
    status: 400,
    type: 'HTTPBadRequest',
    message: 'Quota limit {limit} for {resource} must be greater than or equal to already used {used}.',
  },
  TenantQuotaNotFound: {
    status: 404,
    type: 'TenantQuotaNotFound',
    message: 'Quota for project {projectId} could not be found.',
  },
  TagNotFound: { status: 404, type: 'TagNotFound', message: 'Tag {tag} could not be found.' },
  DuplicateRbacPolicy: {
    status: 409,
    type: 'DuplicateRbacPolicy',
    message: 'An RBAC policy already exists with those values.',
  },
  InvalidSharedSetting: {
    status: 409,
    type: 'InvalidSharedSetting',
    message: 'Unable to reconfigure sharing settings for {object}. Multiple projects are using it.',
  },
  RevisionNumberConstraintFailed: {
    status: 412,
    type: 'RevisionNumberConstraintFailed',
    message: 'Constrained to {expected}, but current revision is {current}.',
  },
  NodeElsewhere: {
    status: 409,
    type: 'NodeElsewhere',
    message: 'Node {nodeId} is driven by controller {controller}: ask that one.',
  },
  RevisionGone: {
    status: 410,
    type: 'RevisionGone',
    message: 'What came after revision {revision} is not known whole any more. Begin anew, without a revision.',
  },
  InvalidInput: { status: 400, type: 'InvalidInput', message: 'Invalid input for operation: {reason}.' },
  HTTPBadRequest: { status: 400, type: 'HTTPBadRequest', message: '{reason}' },
  Unauthorized: { status: 401, type: 'HTTPUnauthorized', message: '{reason}' },
  Forbidden: { status: 403, type: 'HTTPForbidden', message: '{reason}' },
  PolicyNotAuthorized: { status: 403, type: 'PolicyNotAuthorized', message: '{rule} is disallowed by policy' },
  ServiceUnavailable: {
    status: 503,
    type: 'ServiceUnavailable',
    message: 'The service is unavailable: {reason}.',
  },
  Internal: {
    status: 500,
    type: 'HTTPInternalServerError',
    message: 'Request Failed: internal server error while processing your request.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

/** The names between braces in a message template. */
type ParameterNames<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : never;

/** What the message of `Code` needs to be filled in with. */
export type ErrorParameters<Code extends ErrorCode> = {
  readonly [Name in ParameterNames<(typeof errorTable)[Code]['message']>]: string | number;
};

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Of a bulk request: which item is at fault, from 0. */
  readonly item?: number | undefined;
}

/** The one error type of the region. Everything that is refused or fails for a known reason is one of these. */
export class AlcorError extends Error {
  override readonly name = 'AlcorError';
  readonly code: ErrorCode;
  readonly status: ErrorKind['status'];
  /** Neutron's name for it. */
  readonly type: string;
  /** Of a bulk request: which item is at fault, from 0; undefined when it is not known or there is but one. */
  readonly item: number | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    const { status, type } = errorTable[code];
    this.code = code;
    this.status = status;
    this.type = type;
    this.item = options.item;
  }

  /** The same error, said of one item of a bulk request. */
  forItem(item: number): AlcorError {
    return new AlcorError(this.code, this.message, { cause: this.cause, item });
  }

  /** Whatever was thrown, as an AlcorError: the unexpected becomes `Internal` with its cause kept. */
  static from(thrown: unknown): AlcorError {
    return thrown instanceof AlcorError ? thrown : refusal('Internal', {}, { cause: thrown });
  }
}

/** Builds the error `code` with its message filled in. */
export function refusal<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  options: ErrorOptions = {},
): AlcorError {
  const values = parameters as Readonly<Record<string, string | number>>;
  const message = errorTable[code].message.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
  return new AlcorError(code, message, options);
}
