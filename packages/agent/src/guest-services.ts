import type { PortConfiguration, SubnetConfiguration, VpcConfiguration } from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import { type Dataplane, decodeFrame, type LocalPort, type PacketIn } from './dataplane/index.ts';
import type { Lease } from './dhcp/options.ts';
import { answerDhcp } from './dhcp/server.ts';
import { answerDhcp6, type Lease6 } from './dhcp/server6.ts';
import type { HeldState } from './held-state.ts';
import { answerUndeliverable } from './icmp-errors.ts';
import { ADVERTISE_EVERY_MS, type AddressMode, type AdvertisedSubnet, advertisement } from './router-advertisements.ts';

const modes: readonly AddressMode[] = ['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'];

export interface GuestServicesOptions {
  readonly held: Pick<HeldState, 'goal'>;
  readonly dataplane: Pick<Dataplane, 'portAt' | 'interfaceAt' | 'interfacesOn' | 'pluggedPorts' | 'send'>;
  readonly clock: Clock;
}

/** What guests of this host are told when they ask, out of the goals as they are held at that moment. */
export class GuestServices {
  readonly #held: GuestServicesOptions['held'];
  readonly #dataplane: GuestServicesOptions['dataplane'];
  readonly #clock: Clock;

  constructor({ held, dataplane, clock }: GuestServicesOptions) {
    this.#held = held;
    this.#dataplane = dataplane;
    this.#clock = clock;
  }

  /** Advertises routers to all guests now and then, until `signal` aborts. */
  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    const timer = this.#clock.timer(ADVERTISE_EVERY_MS, () => {
      for (const { port, ofport } of this.#dataplane.pluggedPorts()) this.#advertise(port, ofport);
      signal.removeEventListener('abort', stop);
      this.start(signal);
    });
    const stop = (): void => timer.cancel();
    signal.addEventListener('abort', stop, { once: true });
  }

  /** False if the packet asks for no service. */
  onPacket(packet: PacketIn): boolean {
    const portAt = (ofport: number): LocalPort | undefined => this.#dataplane.portAt(ofport);
    if (packet.table === 'routing') {
      const interfaceAt = (vni: number, ethernet: number) => this.#dataplane.interfaceAt(vni, ethernet);
      this.#dataplane.send(answerUndeliverable(packet, { portAt, interfaceAt }));
    } else if (packet.table === 'services' && isDhcp(packet)) {
      this.#dataplane.send(answerDhcp(packet, { portAt, leaseOf: (port) => this.#leaseOf(port) }));
    } else if (packet.table === 'services' && isDhcp6(packet)) {
      this.#dataplane.send(answerDhcp6(packet, { portAt, leaseOf: (port) => this.#lease6Of(port) }));
    } else if (packet.table === 'services' && isSolicitation(packet)) {
      const ofport = packet.context.registers.reg0 ?? 0;
      const port = portAt(ofport);
      if (port !== undefined) this.#advertise(port, ofport);
    } else return false;
    return true;
  }

  /** Every router on the port's network speaks for those of its subnets that are to be advertised. */
  #advertise({ vpcId, vni, ips, adminStateUp }: LocalPort, ofport: number): void {
    if (!adminStateUp || !ips.some((ip) => ip.includes(':'))) return;
    const mtu = this.#state<VpcConfiguration>(vpcId, `vpc/${vpcId}`)?.mtu ?? 0;
    for (const by of this.#dataplane.interfacesOn(vni)) {
      const subnets = by.addresses.flatMap(({ subnetId }) => {
        const subnet = this.#state<SubnetConfiguration>(vpcId, `subnet/${subnetId}`);
        return subnet === undefined ? [] : advertisedOf(subnet);
      });
      if (subnets.length > 0) this.#dataplane.send([advertisement(by, subnets, mtu, ofport)]);
    }
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

  /** All that any subnet of the port with DHCPv6 says. */
  #lease6Of({ id, vpcId }: LocalPort): Lease6 | undefined {
    const held = this.#state<PortConfiguration>(vpcId, `port/${id}`)?.fixedIps ?? [];
    const addresses = held.flatMap(({ subnetId, ipAddress }) => {
      const subnet = this.#state<SubnetConfiguration>(vpcId, `subnet/${subnetId}`);
      const isOn = subnet?.dhcpEnable === true && subnet.ipv6AddressMode.startsWith('dhcpv6-');
      return isOn ? [{ ipAddress, subnet }] : [];
    });
    if (addresses.length === 0) return undefined;
    const dnsServers = addresses.flatMap(({ subnet }) => subnet.dnsEntryList.map(({ entry }) => entry));
    return {
      ips: addresses
        .filter(({ subnet }) => subnet.ipv6AddressMode === 'dhcpv6-stateful')
        .map(({ ipAddress }) => ipAddress),
      dnsServers: [...new Set(dnsServers)].filter((entry) => entry.includes(':')),
    };
  }

  /** The key says what kind of state it is. */
  #state<T>(vpcId: string, key: string): T | undefined {
    return this.#held.goal(vpcId, key)?.state as T | undefined;
  }
}

function isDhcp6({ frame }: PacketIn): boolean {
  const { headers } = decodeFrame(frame);
  return headers.eth_type === 0x86dd && headers.udp_dst === 547;
}

function isSolicitation({ frame }: PacketIn): boolean {
  return decodeFrame(frame).headers.icmpv6_type === 133;
}

function advertisedOf({ cidr, ipv6RaMode, dnsEntryList }: SubnetConfiguration): AdvertisedSubnet[] {
  const mode = modes.find((each) => each === ipv6RaMode);
  return mode === undefined ? [] : [{ cidr, mode, dnsServers: dnsEntryList.map(({ entry }) => entry) }];
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
