import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Action } from './actions/types.ts';
import type { OpenFlowConnection } from './connection/types.ts';
import { FIELD_NAMES } from './fields.ts';
import type { FieldName } from './fields.ts';
import { sameFlow } from './flow-key.ts';
import type { Flow, FlowMod, FlowStats } from './flow.ts';
import { startOvs, whyNoOvs } from './testing/ovs.ts';
import type { Ovs } from './testing/ovs.ts';
import { ipv4, ipv4Prefix, mac } from './text.ts';

const reason = whyNoOvs();
if (reason !== undefined) console.warn(`Open vSwitch tests are skipped: ${reason}`);

/**
 * Flows as people write them. Each is added by ovs-ofctl, read by the library, deleted, and written back by the
 * library; ovs-ofctl must then print what it printed before.
 */
const WRITTEN_BY_OFCTL: readonly string[] = [
  'in_port=1,actions=output:2',
  'in_port=LOCAL,actions=LOCAL,ALL,FLOOD,NORMAL,IN_PORT,CONTROLLER:65535',
  'dl_src=02:00:00:00:00:01,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=drop',
  'metadata=0x123456789abcdef0/0xff00ff00ff00ff00,actions=goto_table:5',
  'tun_id=0x77,tun_src=10.0.0.1,tun_dst=10.0.0.0/24,tun_gbp_id=3,tun_gbp_flags=0x8/0x8,actions=output:1',
  'tun_ipv6_src=fd00::1,tun_ipv6_dst=fd00::/16,tun_flags=oam,actions=output:1',
  ...['reg0=1', 'reg1=0x10/0xf0', 'reg2=1,reg3=2', 'reg4=3,reg7=4/0xff', 'reg8=1,reg9=2', 'reg5=7,reg6=8'].map(
    (match) => `${match},actions=drop`,
  ),
  'reg10=1,reg11=2,reg12=3,reg13=4,reg14=5,reg15=6,actions=drop',
  'xreg1=0x1234567800000000/0xffffffff00000000,actions=drop',
  'xxreg2=0x1/0xf,actions=drop',
  'pkt_mark=0x5/0xf,actions=set_field:7->pkt_mark',
  'conj_id=77,ip,actions=drop',
  'dl_vlan=100,dl_vlan_pcp=3,actions=pop_vlan,output:1',
  'vlan_tci=0x1000/0x1000,actions=drop',
  'dl_type=0x8847,mpls_label=77,mpls_tc=3,mpls_bos=1,actions=drop',
  'ct_state=+trk+est-inv,ct_zone=9,ct_mark=0x3/0xf,ct_label=0x10/0xff,ip,actions=drop',
  'ct_state=+trk+est,ip,ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.0/8,ct_nw_proto=6,ct_tp_src=80,ct_tp_dst=0x50/0xf0,actions=drop',
  'ct_state=+trk+rpl,ipv6,ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::/8,actions=drop',
  'ip,nw_src=10.0.0.1,nw_dst=10.0.0.0/255.0.255.0,nw_proto=17,ip_dscp=46,nw_ecn=1,nw_ttl=64,ip_frag=first,actions=drop',
  'ipv6,ipv6_src=fd00::1,ipv6_dst=fd00::/64,ipv6_label=0x12345/0xfffff,actions=drop',
  'arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.0/8,arp_sha=02:00:00:00:00:01,arp_tha=02:00:00:00:00:02,actions=drop',
  'tcp,tp_src=80,tp_dst=0x400/0xfc00,tcp_flags=+syn-ack,actions=drop',
  'udp6,udp_src=53,udp_dst=0x35/0xff,actions=drop',
  'sctp,sctp_src=5,sctp_dst=6,actions=drop',
  'icmp,icmp_type=8,icmp_code=0,actions=drop',
  'icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=fe80::1,nd_sll=02:00:00:00:00:01,nd_reserved=3,nd_options_type=1,actions=drop',
  'icmp6,icmpv6_type=136,nd_target=fe80::2,nd_tll=02:00:00:00:00:01,actions=drop',
  'table=1,ip,actions=dec_ttl,mod_nw_tos:64,set_field:9->nw_ttl,set_field:1->nw_ecn,output:3',
  'table=1,arp,actions=move:arp_sha->arp_tha,set_field:2->arp_op,load:0x0a->NXM_OF_ARP_SPA[0..7],IN_PORT',
  'table=1,in_port=3,actions=load:5->NXM_NX_REG0[4..9],set_field:0x30/0xf0->xreg2,set_field:7->xxreg3,resubmit(,9)',
  'table=1,in_port=4,ip,ct_state=+trk+est,actions=resubmit(5,),resubmit(6,7),resubmit(,5,ct),resubmit(IN_PORT,8)',
  'table=1,in_port=5,actions=output:NXM_NX_REG3[0..15],output:reg4,set_queue:4,group:9,note:01.02.03.04.05.06',
  'table=1,in_port=6,actions=clone(set_field:1->reg1,output:7),ct_clear,exit',
  'table=1,in_port=7,actions=push_vlan:0x8100,set_field:4196->vlan_vid,push_vlan:0x88a8',
  'table=1,in_port=8,actions=controller(max_len=100,reason=no_match,id=5,userdata=01.02.03,pause),controller(meter_id=9)',
  'table=1,in_port=9,actions=controller(id=7)',
  'table=2,tcp,tcp_src=1,actions=ct(commit,force,zone=NXM_NX_REG4[0..15],table=9,nat(src=10.0.0.1-10.0.0.9:100-200,random),exec(set_field:1->ct_mark,load:3->NXM_NX_CT_LABEL[0..31]),alg=ftp)',
  'table=2,tcp,actions=ct(zone=5,table=3,nat),ct(commit,nat(dst=10.0.0.7:80,persistent,hash))',
  'table=2,udp,actions=ct(alg=tftp,commit)',
  'table=2,ipv6,actions=ct(commit,nat(src=fd00::1-fd00::9)),ct(table=4)',
  'table=3,actions=learn(table=10,idle_timeout=60,hard_timeout=70,fin_idle_timeout=5,fin_hard_timeout=6,priority=5,cookie=0x77,limit=100,send_flow_rem,delete_learned,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],eth_type=0x800,load:NXM_OF_IN_PORT[]->NXM_NX_REG1[0..15],load:0x1234567->NXM_NX_REG2[],output:NXM_OF_IN_PORT[])',
  'table=4,priority=9,ip,nw_src=10.0.0.1,actions=conjunction(7,1/3),conjunction(8,2/2)',
  'table=5,actions=write_metadata:0x5/0xff,goto_table:6',
  'table=5,in_port=1,actions=set_field:1->reg0,clear_actions,write_actions(output:3,group:4),write_metadata:0x7,goto_table:9',
  'table=5,in_port=2,actions=meter:3,output:1',
  'table=6,cookie=0xdeadbeefcafe,priority=65535,idle_timeout=100,hard_timeout=200,importance=7,send_flow_rem,no_packet_counts,no_byte_counts,actions=drop',
  'table=6,actions=check_pkt_larger(1414)->NXM_NX_REG10[2]',
  'table=7,actions=move:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG1[3..14]',
];

async function collect(flows: AsyncIterable<FlowStats>): Promise<FlowStats[]> {
  const all: FlowStats[] = [];
  for await (const flow of flows) all.push(flow);
  return all;
}

const asMod = (flow: Flow): FlowMod => ({ type: 'flow_mod', command: 'add', ...flow });

/** Whatever comes in at a port goes out at the next. */
const hop = (table: number, port: number, cookie: bigint): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table,
  priority: 5,
  cookie,
  match: { in_port: port },
  instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: port + 1 }] }],
});

/** Field and action names that occur anywhere in some data. */
function mentioned(data: unknown, into: Set<string> = new Set()): Set<string> {
  if (typeof data !== 'object' || data === null || data instanceof Uint8Array) return into;
  for (const [key, value] of Object.entries(data)) {
    into.add(key);
    if ((key === 'type' || key === 'field') && typeof value === 'string') into.add(value);
    mentioned(value, into);
  }
  return into;
}

describe.skipIf(reason !== undefined)('flows in a real switch', () => {
  let ovs: Ovs;
  let connection: OpenFlowConnection;
  const printed = async (): Promise<string[]> =>
    (await ovs.ofctl('--no-stats', '--no-names', 'dump-flows', 'BR'))
      .trim()
      .split('\n')
      .map((line) => line.trim());

  beforeAll(async () => {
    ovs = await startOvs();
    connection = await ovs.connect();
    await connection.command({
      type: 'group_mod',
      command: 'add',
      group: 9,
      buckets: [{ id: 1, actions: [{ type: 'output', port: 1 }] }],
    });
    await connection.command({ type: 'group_mod', command: 'add', group: 4, buckets: [] });
    for (const meter of [3, 9]) {
      const bands = [{ type: 'drop', rate: 1000 }] as const;
      await connection.command({ type: 'meter_mod', command: 'add', meter, flags: ['kbps'], bands });
    }
  });
  afterAll(async () => {
    connection?.close();
    await ovs?.stop();
  });
  beforeEach(async () => {
    await connection.applyFlowMods([{ type: 'flow_mod', command: 'delete', table: 0xff }]);
  });

  test.each(WRITTEN_BY_OFCTL)('%s', async (text) => {
    await ovs.ofctl('add-flow', 'BR', text);
    const before = await printed();
    const [flow, ...others] = await collect(connection.dumpFlows());
    expect(others).toEqual([]);
    if (flow === undefined) throw new Error('no flow was read');
    expect(JSON.stringify(flow, (_, value) => (typeof value === 'bigint' ? `${value}` : value))).not.toContain(
      'unknown',
    );

    await connection.applyFlowMods([{ type: 'flow_mod', command: 'delete', table: 0xff }]);
    expect(await connection.applyFlowMods([asMod(flow)])).toEqual({ failures: [] });
    expect(await printed()).toEqual(before);
    const [again] = await collect(connection.dumpFlows());
    expect(again !== undefined && sameFlow(flow, again)).toBe(true);
  });

  test('no field and no action is left out above', async () => {
    const seen = new Set<string>();
    for (const text of WRITTEN_BY_OFCTL) await ovs.ofctl('add-flow', 'BR', text);
    for (const flow of await collect(connection.dumpFlows())) mentioned(flow, seen);
    // Wide registers are read as the registers they are made of; the others only packets or action sets have.
    const unseen: readonly FieldName[] = ['packet_type', 'actset_output', 'xreg0', 'xreg1', 'xreg3', 'xreg4', 'xreg5'];
    const missing = FIELD_NAMES.filter((name) => !seen.has(name) && !unseen.includes(name));
    expect(missing).toEqual(['xreg6', 'xreg7', 'xxreg0', 'xxreg1', 'xxreg2']);
    const actions: readonly Action['type'][] = [
      ...([
        'output',
        'output_reg',
        'group',
        'meter',
        'set_queue',
        'set_field',
        'move',
        'resubmit',
        'ct',
        'nat',
      ] as const),
      ...(['ct_clear', 'conjunction', 'controller', 'dec_ttl', 'push_vlan', 'pop_vlan', 'learn', 'clone'] as const),
      ...(['exit', 'note', 'check_pkt_larger'] as const),
    ];
    expect(actions.filter((type) => !seen.has(type))).toEqual([]);
  });

  test('what the library writes is what ovs-ofctl reads', async () => {
    const mods: readonly FlowMod[] = [
      {
        type: 'flow_mod',
        command: 'add',
        table: 70,
        priority: 100,
        cookie: 0x55n,
        match: { eth_dst: mac('aa:bb:cc:dd:ee:ff'), metadata: 0x1234 },
        instructions: [
          {
            type: 'apply_actions',
            actions: [
              { type: 'set_field', field: 'tun_dst', value: ipv4('10.1.2.3') },
              { type: 'set_field', field: 'tunnel_id', value: 0x1234n },
              { type: 'output', port: 7 },
            ],
          },
        ],
      },
      {
        type: 'flow_mod',
        command: 'add',
        table: 71,
        priority: 1,
        match: { ipv4_src: ipv4Prefix('10.9.0.0/16'), eth_type: 0x0800, xreg0: 0x1_0000_0002n },
        instructions: [
          { type: 'goto_table', table: 72 },
          { type: 'write_metadata', value: 5n, mask: 0xffn },
          {
            type: 'apply_actions',
            actions: [
              { type: 'load', to: { field: 'reg5', offset: 8, bits: 8 }, value: 3 },
              { type: 'set_ttl', ttl: 3 },
              {
                type: 'ct',
                commit: true,
                zone: { field: 'reg4', bits: 16 },
                actions: [{ type: 'nat', side: 'src', ipv4: { min: 1 } }],
              },
              { type: 'output_reg', field: 'reg5' },
            ],
          },
        ],
      },
    ];
    expect(await connection.applyFlowMods(mods)).toEqual({ failures: [] });
    expect(await printed()).toEqual([
      'cookie=0x55, table=70, priority=100,metadata=0x1234,dl_dst=aa:bb:cc:dd:ee:ff actions=set_field:10.1.2.3->tun_dst,set_field:0x1234->tun_id,output:7',
      'table=71, priority=1,ip,reg0=0x1,reg1=0x2,nw_src=10.9.0.0/16 actions=set_field:0x300/0xff00->reg5,mod_nw_ttl:3,ct(commit,zone=NXM_NX_REG4[0..15],nat(src=0.0.0.1)),output:NXM_NX_REG5[],write_metadata:0x5/0xff,goto_table:72',
    ]);
  });

  test('filters, aggregates and modifications cover what they say', async () => {
    await connection.applyFlowMods([hop(1, 1, 0x10n), hop(1, 2, 0x11n), hop(2, 1, 0x20n)]);
    const count = async (filter: object): Promise<number> => (await collect(connection.dumpFlows(filter))).length;
    expect(await count({})).toBe(3);
    expect(await count({ table: 1 })).toBe(2);
    expect(await count({ cookie: 0x10n, cookieMask: 0xf0n })).toBe(2);
    expect(await count({ outPort: 3 })).toBe(1);
    expect(await count({ match: { in_port: 1 } })).toBe(2);
    for await (const part of connection.multipart({ kind: 'aggregate', filter: { table: 1 } })) {
      expect(part).toEqual({ kind: 'aggregate', stats: { packets: 0n, bytes: 0n, flows: 2 } });
    }
    await connection.applyFlowMods([
      { type: 'flow_mod', command: 'delete', table: 0xff, cookie: 0x10n, cookieMask: 0xf0n },
      { type: 'flow_mod', command: 'modify_strict', table: 2, priority: 5, match: { in_port: 1 }, instructions: [] },
    ]);
    const [left, ...none] = await collect(connection.dumpFlows());
    expect(none).toEqual([]);
    expect(left).toMatchObject({ table: 2, cookie: 0x20n, instructions: [] });
  });
});
