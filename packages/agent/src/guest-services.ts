import type { PortConfiguration } from '@alcor/contract';
import type { Clock, Random } from '@alcor/runtime';
import type { Duplex } from 'node:stream';
import { type Dataplane, decodeFrame, type LocalPort, type PacketIn } from './dataplane/index.ts';
import { answerDhcp } from './dhcp/server.ts';
import { answerDhcp6 } from './dhcp/server6.ts';
import { type AskUpstream, Forwarder } from './dns/forwarder.ts';
import { answerDnsPacket } from './dns/server.ts';
import type { HeldState } from './held-state.ts';
import { answerUndeliverable } from './icmp-errors.ts';
import { type Caller, Endpoint } from './metadata/endpoint.ts';
import { advertisedSubnet, lease6Of, leaseOf, mtuOf } from './leases.ts';
import { ADVERTISE_EVERY_MS, advertisement } from './router-advertisements.ts';

export interface GuestServicesOptions {
  readonly held: Pick<HeldState, 'goal' | 'zone'>;
  readonly dataplane: Pick<Dataplane, 'portAt' | 'interfaceAt' | 'interfacesOn' | 'pluggedPorts' | 'send'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Asks others for names that are no port's; undefined: guests are refused. */
  readonly askUpstream?: AskUpstream | undefined;
  /** Speaks HTTP with guests about themselves; undefined: they are refused. */
  readonly metadata?: ((stream: Duplex, guest: MetadataGuest) => void) | undefined;
}

/** Who asks about itself. */
export interface MetadataGuest {
  readonly portId: string;
  readonly ip: string;
  /** Of the server that its port is for; empty: none. */
  readonly instanceId: string;
  readonly projectId: string;
}

/** What guests of this host are told when they ask, out of the goals as they are held at that moment. */
export class GuestServices {
  readonly #held: GuestServicesOptions['held'];
  readonly #dataplane: GuestServicesOptions['dataplane'];
  readonly #clock: Clock;
  readonly #metadata: Endpoint;
  readonly #hasMetadata: boolean;
  readonly #forwarder: Forwarder | undefined;

  constructor({ held, dataplane, clock, random, metadata, askUpstream }: GuestServicesOptions) {
    this.#held = held;
    this.#dataplane = dataplane;
    this.#clock = clock;
    this.#hasMetadata = metadata !== undefined;
    this.#forwarder =
      askUpstream &&
      new Forwarder({
        ask: askUpstream,
        portAt: (ofport) => this.#dataplane.portAt(ofport),
        send: (packets) => this.#dataplane.send(packets),
      });
    this.#metadata = new Endpoint({
      clock,
      random,
      send: (packets) => this.#dataplane.send(packets),
      portAt: (ofport) => this.#dataplane.portAt(ofport),
      accept: metadata && ((stream, caller) => metadata(stream, this.#guest(caller))),
    });
  }

  /** Advertises routers to all guests now and then, until `signal` aborts. */
  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    const timer = this.#clock.timer(ADVERTISE_EVERY_MS, () => {
      for (const { port, key } of this.#dataplane.pluggedPorts()) this.#advertise(port, key);
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
      return true;
    }
    if (packet.table !== 'services' || isArp(packet)) return false;
    const { headers } = decodeFrame(packet.frame);
    if (headers.eth_type === 0x0800 && headers.udp_dst === 67) {
      this.#dataplane.send(
        answerDhcp(packet, { portAt, leaseOf: (port) => leaseOf(this.#held, port, this.#hasMetadata) }),
      );
    } else if (headers.eth_type === 0x86dd && headers.udp_dst === 547) {
      this.#dataplane.send(answerDhcp6(packet, { portAt, leaseOf: (port) => lease6Of(this.#held, port) }));
    } else if (headers.icmpv6_type === 133) {
      const ofport = packet.context.registers.reg0 ?? 0;
      const port = portAt(ofport);
      if (port !== undefined) this.#advertise(port, ofport);
    } else if (headers.udp_dst === 53) {
      const forwarder = this.#forwarder;
      const forward = forwarder && ((query: PacketIn): void => forwarder.forward(query));
      this.#dataplane.send(answerDnsPacket(packet, { portAt, zoneOf: (vpcId) => this.#held.zone(vpcId), forward }));
    } else if (headers.tcp_dst === 80) {
      this.#metadata.onPacket(packet);
    } else return false;
    return true;
  }

  #guest({ port: { id: portId, vpcId }, ip }: Caller): MetadataGuest {
    const port = this.#held.goal(vpcId, `port/${portId}`)?.state as PortConfiguration | undefined;
    return { portId, ip, instanceId: port?.deviceId ?? '', projectId: port?.projectId ?? '' };
  }

  /** Every router on the port's network speaks for those of its subnets that are to be advertised. */
  #advertise(port: LocalPort, ofport: number): void {
    if (!port.adminStateUp || !port.ips.some((ip) => ip.includes(':'))) return;
    const mtu = mtuOf(this.#held, port);
    for (const by of this.#dataplane.interfacesOn(port.vni)) {
      const subnets = by.addresses.flatMap(({ subnetId }) => advertisedSubnet(this.#held, port, subnetId) ?? []);
      if (subnets.length > 0) this.#dataplane.send([advertisement(by, subnets, mtu, ofport)]);
    }
  }
}

/** No service is asked for by ARP, and most packets to who is not known are: they need not be read here. */
function isArp({ frame }: PacketIn): boolean {
  return frame[12] === 0x08 && frame[13] === 0x06;
}
