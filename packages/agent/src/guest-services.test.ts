import {
  PortConfiguration,
  RouterConfiguration,
  SubnetConfiguration,
  VpcConfiguration,
  type Goal,
} from '@alcor/contract';
import { ipv4, ipv4Text, ipv6, mac } from '@alcor/openflow';
import { createSchedule, type Schedule, seededRandom } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dataplane, decodeFrame, encodeFrame, MemorySwitch, type PacketOut } from './dataplane/index.ts';
import { GuestServices } from './guest-services.ts';
import { HeldState } from './held-state.ts';
import { ADVERTISE_EVERY_MS } from './router-advertisements.ts';
import type { StreamSource } from './sources.ts';

const ethernet = '02:00:00:00:00:05';
const never = new AbortController().signal;

describe('the services of a host for its guests', () => {
  let schedule: Schedule;
  let held: HeldState;
  let stream: StreamSource;
  let services: GuestServices;
  let ofport: number;
  let sent: PacketOut[];

  beforeEach(async () => {
    schedule = createSchedule();
    const { clock } = schedule;
    const memory = new MemorySwitch();
    const dataplane = new Dataplane({ switch: memory, hostIp: '192.0.2.1', clock });
    await dataplane.start(never);
    ofport = memory.plug('p');
    held = new HeldState({ sink: dataplane, clock });
    stream = held.openStream();
    held.begin(stream, ['v']);
    sent = [];
    services = new GuestServices({
      held,
      dataplane: {
        portAt: (at) => dataplane.portAt(at),
        interfaceAt: (vni, to) => dataplane.interfaceAt(vni, to),
        interfacesOn: (vni) => dataplane.interfacesOn(vni),
        pluggedPorts: () => dataplane.pluggedPorts(),
        send: (packets) => void sent.push(...packets),
      },
      clock,
      random: seededRandom(1),
    });
    say({ kind: 'vpc', state: VpcConfiguration.fromPartial({ id: 'v', revisionNumber: 1, tunnelId: 7, mtu: 1400 }) });
    say(subnet('four', { cidr: '10.0.0.0/24', dhcpEnable: true, gateway: { ipAddress: '10.0.0.1', macAddress: '' } }));
    say(subnet('six', { cidr: 'fd00::/64', dhcpEnable: true, ipv6RaMode: 'slaac' }));
    say(port(true));
  });

  const say = (...goals: Goal[]): unknown =>
    held.apply(
      stream,
      goals.map((goal) => ({ goal, removed: false })),
    );

  /** What a port asks in the table `services`. */
  function asks(headers: object, payload: Uint8Array): void {
    const frame = encodeFrame({ eth_src: mac(ethernet), eth_dst: 0xffff_ffff_ffff, ...headers }, payload);
    services.onPacket({ table: 'services', context: { inPort: ofport, vni: 7, registers: { reg0: ofport } }, frame });
  }

  function discovers(): void {
    const bytes = Buffer.alloc(244);
    bytes.set([1, 1, 6]);
    bytes.writeUIntBE(mac(ethernet), 28, 6);
    bytes.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255], 236);
    const udp = { ip_proto: 17, udp_src: 68, udp_dst: 67 };
    asks({ eth_type: 0x0800, ipv4_src: 0, ipv4_dst: ipv4('255.255.255.255'), ...udp }, bytes);
  }

  function solicits(): void {
    const ip = { ipv6_src: ipv6('fe80::ff:fe00:5'), ipv6_dst: ipv6('ff02::2') };
    asks({ eth_type: 0x86dd, ip_proto: 58, ...ip, icmpv6_type: 133, icmpv6_code: 0 }, new Uint8Array(4));
  }

  /** Who asks now is told this MTU, of 16 bits. */
  function toldMtu(hex: string): void {
    sent.length = 0;
    discovers();
    solicits();
    const [lease, advertised] = sent.map(({ frame }) => Buffer.from(decodeFrame(frame).payload).toString('hex'));
    expect(lease).toContain(`1a02${hex}`);
    expect(advertised).toContain(`050100000000${hex}`);
  }

  it('offer an address by what is held now: with the MTU of the network, and nothing once the subnet has no DHCP', () => {
    discovers();
    const { headers, payload } = decodeFrame(sent[0]!.frame);
    expect(ipv4Text(Number(headers.ipv4_dst))).toBe('10.0.0.5');
    expect(Buffer.from(payload).toString('hex')).toContain('1a020578');
    expect(sent[0]).toMatchObject({ table: 'output', context: { vni: 7, registers: { reg1: ofport } } });
    say(subnet('four', { cidr: '10.0.0.0/24', dhcpEnable: false }, 2));
    discovers();
    expect(sent).toHaveLength(1);
  });

  it('tell the MTU that the network has by then, in leases and in advertisements', () => {
    say(router());
    toldMtu('0578');
    say({ kind: 'vpc', state: VpcConfiguration.fromPartial({ id: 'v', revisionNumber: 2, tunnelId: 7, mtu: 8_950 }) });
    toldMtu('22f6');
  });

  it('advertise the routers that are there, to who asks and to all that are up from time to time', async () => {
    solicits();
    expect(sent).toEqual([]);
    say(router());
    solicits();
    expect(sent).toHaveLength(1);
    const stop = new AbortController();
    services.start(stop.signal);
    await schedule.run(2 * ADVERTISE_EVERY_MS + 1);
    expect(sent).toHaveLength(3);
    say(port(false));
    await schedule.run(ADVERTISE_EVERY_MS);
    expect(sent).toHaveLength(3);
    say(port(true, 3));
    stop.abort();
    await schedule.run(2 * ADVERTISE_EVERY_MS);
    expect(sent).toHaveLength(3);
    expect(sent.map(({ frame }) => decodeFrame(frame).headers.icmpv6_type)).toEqual([134, 134, 134]);
  });

  it('leave to others what asks for none of them', () => {
    const frame = encodeFrame({
      eth_src: mac(ethernet),
      eth_dst: 0xffff_ffff_ffff,
      eth_type: 0x0806,
      arp_op: 1,
      arp_sha: mac(ethernet),
      arp_spa: 0,
      arp_tha: 0,
      arp_tpa: 1,
    });
    const context = { inPort: ofport, vni: 7, registers: { reg0: ofport } };
    expect(services.onPacket({ table: 'services', context, frame })).toBe(false);
    expect(services.onPacket({ table: 'neighbour', context, frame })).toBe(false);
  });
});

function subnet(id: string, fields: Partial<SubnetConfiguration>, revisionNumber = 1): Goal {
  return {
    kind: 'subnet',
    state: { ...SubnetConfiguration.fromPartial({ id, vpcId: 'v', revisionNumber }), ...fields },
  };
}

function port(adminStateUp: boolean, revisionNumber = adminStateUp ? 1 : 2): Goal {
  const fixedIps = [
    { subnetId: 'four', ipAddress: '10.0.0.5' },
    { subnetId: 'six', ipAddress: 'fd00::ff:fe00:5' },
  ];
  const fields = { id: 'p', vpcId: 'v', revisionNumber, macAddress: ethernet, adminStateUp, fixedIps };
  return { kind: 'port', state: PortConfiguration.fromPartial(fields) };
}

function router(): Goal {
  const fixedIps = [{ subnetId: 'six', ipAddress: 'fd00::1' }];
  const interfaces = [{ portId: 'i', vpcId: 'v', macAddress: 'fa:16:3e:00:00:01', fixedIps }];
  return {
    kind: 'router',
    state: RouterConfiguration.fromPartial({ id: 'r', vpcId: 'v', revisionNumber: 1, interfaces }),
  };
}
