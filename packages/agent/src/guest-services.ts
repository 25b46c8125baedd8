import type { PortConfiguration, SubnetConfiguration, VpcConfiguration } from '@alcor/contract';
import { type Dataplane, decodeFrame, type LocalPort, type PacketIn } from './dataplane/index.ts';
import type { Lease } from './dhcp/options.ts';
import { answerDhcp } from './dhcp/server.ts';
import type { HeldState } from './held-state.ts';
import { answerUndeliverable } from './icmp-errors.ts';

export interface GuestServicesOptions {
  readonly held: Pick<HeldState, 'goal'>;
  readonly dataplane: Pick<Dataplane, 'portAt' | 'interfaceAt' | 'send'>;
}

/** What guests of this host are told when they ask, out of the goals as they are held at that moment. */
export class GuestServices {
  readonly #held: GuestServicesOptions['held'];
  readonly #dataplane: GuestServicesOptions['dataplane'];

  constructor({ held, dataplane }: GuestServicesOptions) {
    this.#held = held;
    this.#dataplane = dataplane;
  }

  /** False if the packet asks for no service. */
  onPacket(packet: PacketIn): boolean {
    const portAt = (ofport: number): LocalPort | undefined => this.#dataplane.portAt(ofport);
    if (packet.table === 'routing') {
      const interfaceAt = (vni: number, ethernet: number) => this.#dataplane.interfaceAt(vni, ethernet);
      this.#dataplane.send(answerUndeliverable(packet, { portAt, interfaceAt }));
    } else if (packet.table === 'services' && isDhcp(packet)) {
      this.#dataplane.send(answerDhcp(packet, { portAt, leaseOf: (port) => this.#leaseOf(port) }));
    } else return false;
    return true;
  }

  /** Of several IPv4 addresses the first whose subnet has DHCP. */
  #leaseOf({ id, vpcId }: LocalPort): Lease | undefined {
    const port = this.#state<PortConfiguration>(vpcId, `port/${id}`);
    for (const { subnetId, ipAddress } of port?.fixedIps ?? []) {
      const subnet = this.#state<SubnetConfiguration>(vpcId, `subnet/${subnetId}`);
      if (port === undefined || subnet?.dhcpEnable !== true || ipAddress.includes(':')) continue;
      return leaseOf(port, ipAddress, subnet, this.#state<VpcConfiguration>(vpcId, `vpc/${vpcId}`)?.mtu ?? 0);
    }
    return undefined;
  }

  /** The key says what kind of state it is. */
  #state<T>(vpcId: string, key: string): T | undefined {
    return this.#held.goal(vpcId, key)?.state as T | undefined;
  }
}

function isDhcp({ frame }: PacketIn): boolean {
  const { headers } = decodeFrame(frame);
  return headers.eth_type === 0x0800 && headers.udp_dst === 67;
}

function leaseOf(port: PortConfiguration, ip: string, subnet: SubnetConfiguration, mtu: number): Lease {
  return {
    ip,
    cidr: subnet.cidr,
    gateway: subnet.gateway?.ipAddress || null,
    dnsServers: subnet.dnsEntryList.map(({ entry }) => entry).filter((entry) => !entry.includes(':')),
    routes: subnet.hostRoutes.map(({ destination, nextHopIp }) => ({ destination, nextHop: nextHopIp })),
    mtu,
    hostName: port.dnsName || `host-${ip.replaceAll('.', '-')}`,
    extra: port.extraDhcpOptions.filter(({ ipVersion }) => ipVersion !== 6),
  };
}
