import { type Goal, OperationType, RouterConfiguration, UpdateType } from '@alcor/contract';
import type { FixedIp, NetworkId, Node, Router, RuledQosPolicy } from '@alcor/network';
import { limitsAndMark } from './policy-goal.ts';

/** The networks that a router serves: each has a goal of it. */
export function networksOf({ interfaces }: Router): readonly NetworkId[] {
  return [...new Set(interfaces.map(({ networkId }) => networkId))];
}

/** What the rows around a router make of its gateway. */
export interface GatewayFacts {
  /** Has the gateway. */
  readonly host: Node | undefined;
  readonly policy: RuledQosPolicy | undefined;
}

/** What a router means to every host that is in the VPC, one of those it has an interface on. */
export function routerGoal(router: Router, vpcId: NetworkId, { host, policy }: GatewayFacts): Goal {
  const { gateway, gatewayPortId } = router;
  return {
    kind: 'router',
    state: RouterConfiguration.fromPartial({
      id: router.id,
      revisionNumber: router.revision,
      updateType: UpdateType.FULL,
      vpcId,
      adminStateDown: !router.adminStateUp,
      interfaces: router.interfaces.map(({ portId, networkId, mac, fixedIps }) => ({
        portId,
        vpcId: networkId,
        macAddress: mac,
        fixedIps: addresses(fixedIps),
      })),
      conntrackHelpers: router.conntrackHelpers.map(({ protocol, port, helper }) => ({
        protocol: protocol === 'tcp' ? 6 : 17,
        port,
        helper,
      })),
      subnetRoutingTables: addressesWithRoutes(router).map((held) => routingTable(router, held)),
      ...(gateway === null
        ? {}
        : {
            externalGateway: {
              portId: gatewayPortId ?? '',
              vpcId: gateway.networkId,
              macAddress: gateway.mac,
              fixedIps: addresses(gateway.fixedIps),
              snatEnabled: gateway.enableSnat,
              hostIpAddress: host?.ip ?? '',
              ndpProxyEnabled: router.enableNdpProxy,
              ...limitsAndMark(policy),
            },
          }),
    }),
  };
}

/** Those inside; and those outside that are of a family which no other is of, so that its routes are told. */
function addressesWithRoutes({ interfaces, gateway }: Router): FixedIp[] {
  const inside = interfaces.flatMap(({ fixedIps }) => fixedIps);
  const outside = (gateway?.fixedIps ?? []).filter(
    ({ ip }) => !inside.some((other) => isIpv6(other) === isIpv6({ ip })),
  );
  return [...inside, ...outside];
}

function isIpv6({ ip }: Pick<FixedIp, 'ip'>): boolean {
  return ip.includes(':');
}

/** A router's routes hold on all its subnets; of each the contract has the table by itself. */
function routingTable({ routes }: Router, { subnetId, ip }: FixedIp) {
  return {
    subnetId,
    routingRules: routes
      .filter(({ nexthop }) => nexthop.includes(':') === ip.includes(':'))
      .map(({ destination, nexthop }) => ({
        operationType: OperationType.CREATE,
        id: `${destination} ${nexthop}`,
        destination,
        nextHopIp: nexthop,
      })),
  };
}

function addresses(fixedIps: readonly FixedIp[]) {
  return fixedIps.map(({ subnetId, ip }) => ({ subnetId, ipAddress: ip }));
}
