import { describe, expect, test } from 'vitest';
import { ipv4, ipv6, mac } from '../text.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { Message } from './types.ts';

/** Bytes captured between ovs-ofctl 3.1 and ovs-vswitchd 3.1 with OpenFlow 1.5, and what they mean. */
const GOLDEN: readonly {
  readonly name: string;
  readonly hex: string;
  readonly xid: number;
  readonly message: Message;
}[] = [
  {
    name: 'flow-mod of a neighbour',
    hex: '060e008800000006000000000000005500000000000000004600000000000064ffffffffffffffffffffffff000000000001001a80000606aabbccddeeff800004080000000000001234000000000000000400380000000000190010000140040a010203000000000019001080004c08000000000000123400000010000000070000000000000000',
    xid: 6,
    message: {
      type: 'flow_mod',
      command: 'add',
      table: 70,
      priority: 100,
      cookie: 0x55n,
      match: { metadata: 0x1234n, eth_dst: mac('aa:bb:cc:dd:ee:ff') },
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
  },
  {
    name: 'flow-mod with move, clone, note, masked set-field and VLAN actions',
    hex: '060e00e800000006000000000000000000000000000000000500000000008000ffffffffffffffffffffffff000000000001001480000a0286dd800014013a80003a018800000000000400a0000000000019001010000204000000030000000000190010100004010100000000000000001c0018008000000000000080003e108000341000000000ffff002800002320002a000000000000001800080000000000000010000000040000000000000000ffff0010000023200008010203040000001900100001010800000050000003f0001100088100000000150008000000040012000800000000',
    xid: 6,
    message: {
      type: 'flow_mod',
      command: 'add',
      table: 5,
      priority: 32768,
      match: { eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 136 },
      instructions: [
        {
          type: 'apply_actions',
          actions: [
            { type: 'set_field', field: 'nd_reserved', value: 3 },
            { type: 'set_field', field: 'nd_options_type', value: 1 },
            { type: 'move', from: { field: 'nd_target' }, to: { field: 'ipv6_src' }, bits: 128 },
            { type: 'clone', actions: [{ type: 'dec_ttl' }, { type: 'output', port: 4 }] },
            { type: 'note', bytes: new Uint8Array([1, 2, 3, 4, 0, 0]) },
            { type: 'set_field', field: 'reg0', value: 0x50, mask: 0x3f0 },
            { type: 'push_vlan', ethertype: 0x8100 },
            { type: 'set_queue', queue: 4 },
            { type: 'pop_vlan' },
          ],
        },
      ],
    },
  },
  {
    name: 'group-mod with weights and a selection method',
    hex: '060f009000000006000001000000000100400000ffffffff00200010000000010000001000000001000000000000000000000008000a00000020001000000002000000100000000200000000000000000000000800140000ffff00380000154d000000010000000068617368000000000000000000000000000000000000000080001604ffffffff80001804ffffffff',
    xid: 6,
    message: {
      type: 'group_mod',
      command: 'add',
      group: 1,
      groupType: 'select',
      buckets: [
        { id: 1, weight: 10, actions: [{ type: 'output', port: 1 }] },
        { id: 2, weight: 20, actions: [{ type: 'output', port: 2 }] },
      ],
      selection: {
        method: 'hash',
        parameter: 0n,
        fields: {
          ipv4_src: { value: 0xffff_ffff, mask: 0xffff_ffff },
          ipv4_dst: { value: 0xffff_ffff, mask: 0xffff_ffff },
        },
      },
    },
  },
  {
    name: 'bundle-add',
    hex: '06220048000000060000000000000003060e003800000006000000000000000000000000000000000900000000008000ffffffffffffffffffffffff000000000001000400000000',
    xid: 6,
    message: {
      type: 'bundle_add',
      bundle: 0,
      flags: ['atomic', 'ordered'],
      message: { type: 'flow_mod', command: 'add', table: 9, priority: 32768, match: {}, instructions: [] },
    },
  },
  {
    name: 'meter-mod',
    hex: '061d0020000000020000000d0000000100010010000003e80000006400000000',
    xid: 2,
    message: {
      type: 'meter_mod',
      command: 'add',
      meter: 1,
      flags: ['kbps', 'burst', 'stats'],
      bands: [{ type: 'drop', rate: 1000, burst: 100 }],
    },
  },
  {
    name: 'packet-out',
    hex: '060d004800000006ffffffff001000000001001880000004fffffffd8000040800000000000000050000001000000001000000000000000000010203040500010203040508060000',
    xid: 6,
    message: {
      type: 'packet_out',
      match: { in_port: 0xffff_fffd, metadata: 5n },
      actions: [{ type: 'output', port: 1 }],
      packet: new Uint8Array(Buffer.from('00010203040500010203040508060000', 'hex')),
    },
  },
  {
    name: 'flow statistics with a meter action',
    hex: '06130088000000060001000000000000007800000800800000000000000000000000000000000000000100040000000000000034800200080000002324d5ee8080020208000000230000000080020808000000000000000080020a080000000000000000000000000004002000000000001d00080000000100000010000000030000000000000000',
    xid: 6,
    message: {
      type: 'multipart_reply',
      more: false,
      answer: {
        kind: 'flows',
        flows: [
          {
            table: 8,
            priority: 32768,
            cookie: 0n,
            match: {},
            instructions: [
              {
                type: 'apply_actions',
                actions: [
                  { type: 'meter', meter: 1 },
                  { type: 'output', port: 3 },
                ],
              },
            ],
            durationSeconds: 35,
            durationNanoseconds: 618_000_000,
            idleSeconds: 35,
            packets: 0n,
            bytes: 0n,
          },
        ],
      },
    },
  },
];

describe('bytes of the real peer', () => {
  test.each(GOLDEN)('$name', ({ hex, xid, message }) => {
    expect(decodeMessage(Buffer.from(hex, 'hex'))).toEqual({ version: 6, xid, message });
  });

  test.each(GOLDEN.filter(({ name }) => !name.startsWith('flow-mod of')))(
    'are also written: $name',
    ({ hex, xid, message }) => {
      expect(encodeMessage(message, xid).toString('hex')).toBe(hex);
    },
  );

  test('an error quotes what it refuses', () => {
    const hex =
      '060100440000000600060010060f003800000006000300000000000100200000fffffffe0020001000000005000000100000000400000000000000000000000800010000';
    const { message } = decodeMessage(Buffer.from(hex, 'hex'));
    if (message.type !== 'error') throw new Error(message.type);
    expect(message).toMatchObject({ errorType: 6, errorCode: 16, errorName: 'OFPGMFC_BUCKET_EXISTS' });
    expect(decodeMessage(message.data).message).toMatchObject({
      type: 'group_mod',
      command: 'insert_bucket',
      group: 1,
    });
  });
});

const mod = (match: object): Message => ({ type: 'flow_mod', command: 'add', table: 0, match });

test('what does not fit is refused before it is sent', () => {
  expect(() => encodeMessage(mod({ vlan_vid: 0x2000 }), 1)).toThrow('vlan_vid has 13 bits');
  expect(() => encodeMessage(mod({ eth_type: { value: 1, mask: 1 } }), 1)).toThrow('eth_type takes no mask');
  expect(() => encodeMessage(mod({ ipv6_src: -1n }), 1)).toThrow('bad_value');
  expect(() => encodeMessage(mod({ in_port: 1.5 }), 1)).toThrow('bad_value');
  expect(() => encodeMessage(mod({ nonsense: 1 }), 1)).toThrow('no field named nonsense');
  expect(() => encodeMessage(mod({ ipv6_src: ipv6('::1'), ipv6_dst: 1n << 128n }), 1)).toThrow('bad_value');
});
