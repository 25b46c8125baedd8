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
  for (const ports of lists(plan.ports, ({ id }) => id !== keep)) {
    const left = new Set<string>(ports.map(({ id }) => id));
    const hung = ports.filter(({ trunk }) => trunk === null || left.has(trunk.parentId));
    const isKept = hung.some(({ id }) => id === keep) || plan.machines.some(({ id }) => id === keep);
    if (isKept) yield { ...plan, ports: hung, floatingIps: leadingTo(plan.floatingIps, left) };
  }
  for (const qosPolicies of lists(plan.qosPolicies)) yield { ...plan, qosPolicies };
  for (const floatingIps of lists(plan.floatingIps)) yield { ...plan, floatingIps };
  for (const floatingIps of inside(plan.floatingIps, 'forwardings')) yield { ...plan, floatingIps };
  for (const machines of lists(plan.machines, ({ id }) => id !== keep)) yield { ...plan, machines };
  for (const { id } of plan.routers) yield withoutRouter(plan, id);
  for (const [at, router] of plan.routers.entries()) {
    const isUsed = plan.floatingIps.some(({ routerId }) => routerId === router.id);
    if (router.gateway !== null && !isUsed)
      yield { ...plan, routers: plan.routers.with(at, { ...router, gateway: null, gatewayPortId: null }) };
  }
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

function withoutRouter(plan: Plan, id: string): Plan {
  return {
    ...plan,
    routers: plan.routers.filter((router) => router.id !== id),
    floatingIps: plan.floatingIps.filter(({ routerId }) => routerId !== id),
  };
}

/** As far as they lead to ports that are left. */
function leadingTo(floatingIps: Plan['floatingIps'], left: ReadonlySet<string>): Plan['floatingIps'] {
  return floatingIps
    .filter(({ portId }) => portId === null || left.has(portId))
    .map((each) => ({ ...each, forwardings: each.forwardings.filter(({ portId }) => left.has(portId)) }));
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
  qosPolicies,
  networks,
  subnets,
  ports,
  routers,
  securityGroups,
  networkAcls,
  addressGroups,
  floatingIps,
  machines,
  nodes,
}: Plan): string {
  const used = new Set([...ports, ...machines].flatMap(({ networkId }) => networkId));
  return [
    ...nodes.map(({ id, bridgeMappings, gateway, draining }) =>
      [
        id,
        ...(bridgeMappings ? ['on the wire'] : []),
        ...(gateway ? ['gateway'] : []),
        ...(draining ? ['draining'] : []),
      ].join(', '),
    ),
    ...networks
      .filter(({ id }) => used.has(id))
      .map(({ id, vni, adminStateUp, qosPolicyId, physicalNetwork, vlan }) =>
        [
          `${id}: VNI ${vni}`,
          ...(physicalNetwork === null ? [] : [`tag ${vlan ?? 'none'} on the wire`]),
          ...(adminStateUp ? [] : ['down']),
          ...(qosPolicyId === null ? [] : [qosPolicyId]),
        ].join(', '),
      ),
    ...qosPolicies.map(
      ({ id, rules }) => `${id}: ${rules.map((rule) => (rule.type === 'dscp_marking' ? rule.dscpMark : '')).join(' ')}`,
    ),
    ...subnets.filter(({ networkId }) => used.has(networkId)).map(({ networkId, cidr }) => `  ${cidr} in ${networkId}`),
    ...ports.map((port) => portText(port)),
    ...machines.map(({ id, networkId, mac, ips }) => `${id}: ${mac} ${ips.join(' ')} on ${networkId}`),
    ...routers.map((router) => routerText(router)),
    ...floatingIps.map(({ ip, mac, routerId, fixedIp, portId, forwardings }) =>
      [
        `${ip} (${mac}) by ${routerId}`,
        ...(portId === null ? [] : [`${fixedIp} of ${portId}`]),
        ...forwardings.map(
          (each) => `${each.protocol} ${each.externalPorts} to ${each.fixedIp} of ${each.portId} ${each.internalPorts}`,
        ),
      ].join('; '),
    ),
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

function routerText({ id, adminStateUp, interfaces, gateway, routes }: Router): string {
  const by = interfaces.map(
    ({ networkId, mac, fixedIps }) => `${mac} ${fixedIps.map(({ ip }) => ip).join(' ')} on ${networkId}`,
  );
  const further = routes.map(({ destination, nexthop }) => `${destination} via ${nexthop}`);
  const out =
    gateway === null
      ? []
      : [
          `${gateway.mac} ${gateway.fixedIps.map(({ ip }) => ip).join(' ')} on ${gateway.networkId}${gateway.enableSnat ? ', translating' : ''}`,
        ];
  return `${id}${adminStateUp ? '' : ', down'}: ${[...by, ...out, ...further].join('; ')}`;
}

function portText({ id, networkId, mac, fixedIps, hostId, ...port }: Port): string {
  const pairs = port.allowedAddressPairs.map((pair) => ` may be ${pair.ip} with ${pair.mac}`);
  const flags = `${port.adminStateUp ? '' : ', down'}${port.portSecurityEnabled ? '' : ', without port security'}`;
  const trunk = port.trunk === null ? '' : ` (under ${port.trunk.vlan} by ${port.trunk.parentId})`;
  const quality = port.qosPolicyId === null ? '' : ` with ${port.qosPolicyId}`;
  const groups = port.securityGroupIds.length === 0 ? '' : ` in ${port.securityGroupIds.join(' ')}`;
  return `${id}${trunk} on ${hostId ?? 'no host'}: ${mac} ${fixedIps.map(({ ip }) => ip).join(' ')} on ${networkId}${quality}${flags}${pairs.join(',')}${groups}`;
}
