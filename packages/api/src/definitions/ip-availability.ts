import { type NetworkIpAvailability, type NetworkIpAvailabilityTypes, refusal, totalIps } from '@alcor/network';
import { attributesOf, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { dictionary, integer, isUuid, listOf, oneOf, text, uuid } from '../kinds.ts';
import { RawJson } from '../raw-json.ts';

const { field, computed } = attributesOf<NetworkIpAvailabilityTypes>();
type Id = NetworkIpAvailabilityTypes['id'];

const count = integer(0, Number.MAX_SAFE_INTEGER);
const versions = oneOf(4, 6);
const project = field('projectId', text(255), 'The network’s project', { filter: true });

export const networkIpAvailability = define<NetworkIpAvailabilityTypes>({
  singular: 'network_ip_availability',
  plural: 'network_ip_availabilities',
  path: 'network-ip-availabilities',
  prefix: '/v2.0',
  about: 'How many addresses a network has, and how many are used',
  operations: ['list', 'show'],
  tenancy: 'project',
  policy: { get: 'admin' },
  collection: (store) => store.networkIpAvailabilities,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as Id) : null),
  notFound: (networkId) => refusal('NetworkNotFound', { networkId }),
  attributes: {
    network_id: field('id', uuid<Id>(), 'The network', listed),
    network_name: field('name', text(255), 'The network’s name', { filter: true }),
    tenant_id: { ...project, about: 'Older name of project_id' },
    project_id: project,
    total_ips: computed(count, 'In the allocation pools', ({ subnets }) => new RawJson(String(totalOf(subnets)))),
    used_ips: computed(count, 'That ports have', ({ subnets }) =>
      subnets.reduce((sum, { usedIps }) => sum + usedIps, 0),
    ),
    subnet_ip_availability: computed(listOf(dictionary, 1_000_000), 'The same of each subnet', ({ subnets }) =>
      wireSubnets(subnets),
    ),
    ip_version: {
      ...computed(versions, 'For lists: only networks that have subnets of it', () => null),
      filter: (values) => ({
        ipVersion: values.flatMap((value) => (value === '4' || value === '6' ? [Number(value)] : [])),
      }),
    },
  },
});

type Subnets = NetworkIpAvailability['subnets'];

function totalOf(subnets: Subnets): bigint {
  return subnets.reduce((sum, { allocationPools }) => sum + totalIps(allocationPools), 0n);
}

function wireSubnets(subnets: Subnets): RawJson {
  const parts = subnets.map((subnet) => {
    const { id, name, cidr, ipVersion, usedIps } = subnet;
    const rest = { subnet_id: id, subnet_name: name, cidr, ip_version: ipVersion, used_ips: usedIps };
    return `${JSON.stringify(rest).slice(0, -1)},"total_ips":${totalOf([subnet])}}`;
  });
  return new RawJson(`[${parts.join(',')}]`);
}
