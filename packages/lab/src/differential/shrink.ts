/** The least of a plan that the judges still disagree about, and how it reads. */
import type { GroupRule, Port, Router, Traffic } from '@alcor/network';
import type { Plan } from './plan.ts';

/** Leaves out one thing after another for as long as `fails` says that what is left still does. */
export async function shrunk(plan: Plan, keep: string, fails: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  let least = plan;
  for (let found: Plan | undefined = plan; found !== undefined;) {
    found = undefined;
    for (const smaller of without(least, keep)) {
      if (!(await fails(smaller))) continue;
      found = least = smaller;
      break;
    }
  }
  return least;
}

/** The plan without one of its parts, each in turn; the port `keep` stays. */
function* without(plan: Plan, keep: string): Generator<Plan> {
  for (const ports of lists(plan.ports, ({ id }) => id !== keep)) yield { ...plan, ports };
  for (const routers of lists(plan.routers)) yield { ...plan, routers };
  for (const networkAcls of lists(plan.networkAcls)) yield { ...plan, networkAcls };
  for (const securityGroups of lists(plan.securityGroups)) {
    const left = new Set(securityGroups.map(({ id }) => id));
    const ports = plan.ports.map((port) => ({
      ...port,
      securityGroupIds: port.securityGroupIds.filter((id) => left.has(id)),
    }));
    const ruled = securityGroups.map((group) => ({
      ...group,
      rules: group.rules.filter(({ remoteGroupId }) => remoteGroupId === null || left.has(remoteGroupId)),
    }));
    yield { ...plan, ports, securityGroups: ruled };
  }
  for (const securityGroups of inside(plan.securityGroups, 'rules')) yield { ...plan, securityGroups };
  for (const networkAcls of inside(plan.networkAcls, 'rules')) yield { ...plan, networkAcls };
  for (const routers of inside(plan.routers, 'routes')) yield { ...plan, routers };
  for (const routers of inside(plan.routers, 'interfaces')) yield { ...plan, routers };
  for (const key of ['securityGroupIds', 'allowedAddressPairs', 'fixedIps'] as const)
    for (const ports of inside(plan.ports, key)) yield { ...plan, ports: ports as readonly Port[] };
}

function* lists<T>(items: readonly T[], may: (item: T) => boolean = () => true): Generator<readonly T[]> {
  for (const [at, item] of items.entries()) if (may(item)) yield items.filter((_, n) => n !== at);
}

/** One of the items with one less in its list. */
function* inside<Row, Key extends keyof Row>(rows: readonly Row[], key: Key): Generator<readonly Row[]> {
  for (const [at, row] of rows.entries())
    for (const less of lists(row[key] as readonly unknown[]))
      yield rows.map((each, n) => (n === at ? { ...row, [key]: less } : each));
}

/** What of a plan matters to packets, a line for each thing. */
export function planText({
  networks,
  subnets,
  ports,
  routers,
  securityGroups,
  networkAcls,
  addressGroups,
}: Plan): string {
  const used = new Set(ports.flatMap(({ networkId }) => networkId));
  return [
    ...networks
      .filter(({ id }) => used.has(id))
      .map(({ id, vni, adminStateUp }) => `${id}: VNI ${vni}${adminStateUp ? '' : ', down'}`),
    ...subnets.filter(({ networkId }) => used.has(networkId)).map(({ networkId, cidr }) => `  ${cidr} in ${networkId}`),
    ...ports.map((port) => portText(port)),
    ...routers.map((router) => routerText(router)),
    ...securityGroups.flatMap(({ id, stateful, rules }) => [
      `${id}, ${stateful ? 'stateful' : 'stateless'}`,
      ...rules.map((rule) => `  ${ruleText(rule)}`),
    ]),
    ...networkAcls.flatMap(({ id, subnets: judged, rules }) => [
      `${id}: ${judged.map(({ cidr, networkId }) => `${cidr} in ${networkId}`).join(', ')}`,
      ...rules.map(
        (rule) => `  ${rule.number} ${rule.action} ${trafficText(rule)} ${rule.remoteIpPrefix ?? 'anywhere'}`,
      ),
    ]),
    ...addressGroups.map(({ id, addresses }) => `${id}: ${addresses.join(' ')}`),
  ].join('\n');
}

function ruleText(rule: GroupRule): string {
  const remote = rule.remoteIpPrefix ?? rule.remoteGroupId ?? rule.remoteAddressGroupId ?? 'anywhere';
  return `${trafficText(rule)} ${remote}`;
}

function trafficText({ direction, ethertype, protocol, portRangeMin: first, portRangeMax: last }: Traffic): string {
  return `${direction} ${ethertype} ${protocol ?? 'any'} ${first ?? ''}-${last ?? ''}`;
}

function routerText({ id, adminStateUp, interfaces, routes }: Router): string {
  const by = interfaces.map(
    ({ networkId, mac, fixedIps }) => `${mac} ${fixedIps.map(({ ip }) => ip).join(' ')} on ${networkId}`,
  );
  const further = routes.map(({ destination, nexthop }) => `${destination} via ${nexthop}`);
  return `${id}${adminStateUp ? '' : ', down'}: ${[...by, ...further].join('; ')}`;
}

function portText({ id, networkId, mac, fixedIps, hostId, ...port }: Port): string {
  const pairs = port.allowedAddressPairs.map((pair) => ` may be ${pair.ip} with ${pair.mac}`);
  const flags = `${port.adminStateUp ? '' : ', down'}${port.portSecurityEnabled ? '' : ', without port security'}`;
  const groups = port.securityGroupIds.length === 0 ? '' : ` in ${port.securityGroupIds.join(' ')}`;
  return `${id} on ${hostId ?? 'no host'}: ${mac} ${fixedIps.map(({ ip }) => ip).join(' ')} on ${networkId}${flags}${pairs.join(',')}${groups}`;
}
