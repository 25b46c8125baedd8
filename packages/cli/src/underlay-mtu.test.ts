import { VpcConfiguration } from '@alcor/contract';
import { expect, it } from 'vitest';
import { deviceWith, watchUnderlay } from './underlay-mtu.ts';

/** What is said of networks with these MTUs, one after the other. */
function said(given: readonly { id: string; mtu: number; physicalNetwork?: string }[], mtu: number | undefined) {
  const lines: string[] = [];
  const watch = watchUnderlay({
    hostIp: '192.0.2.1',
    log: (line) => void lines.push(line),
    device: () => (mtu === undefined ? undefined : { name: 'eth0', mtu }),
  });
  for (const state of given)
    watch({ goal: { kind: 'vpc', state: VpcConfiguration.fromPartial(state) }, removed: false });
  return lines;
}

it('a host says of a network that its underlay does not carry, once for each MTU', () => {
  const large = { id: 'n', mtu: 8_950 };
  expect(said([{ id: 'n', mtu: 1_450 }, large, large, { id: 'm', mtu: 1_451 }], 1_500)).toEqual([
    'network n has an MTU of 8950, which takes 9000 bytes of the underlay, but eth0 (192.0.2.1) carries 1500: packets of more than 1450 bytes are lost between hosts',
    expect.stringMatching(/^network m has an MTU of 1451/),
  ]);
  expect(said([large], 9_000)).toEqual([]);
});

it('of what is not tunnelled, or tunnelled from elsewhere, it says nothing', () => {
  expect(said([{ id: 'n', mtu: 9_000, physicalNetwork: 'physnet1' }], 1_500)).toEqual([]);
  expect(said([{ id: 'n', mtu: 9_000 }], undefined)).toEqual([]);
});

it('the device with an address is found, with its MTU', () => {
  const loopback = deviceWith('127.0.0.1');
  expect(loopback?.name).toBe('lo');
  expect(loopback?.mtu).toBeGreaterThan(1_280);
  expect(deviceWith('192.0.2.1')).toBeUndefined();
});
