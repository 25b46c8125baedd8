/** Who leaves the region by a gateway host that dies leaves by another within seconds, and by the first again when it is back, once. */
import { describe, expect, it } from 'vitest';
import { api } from '../region/testing/region-process.ts';
import { describeThemes, startRegion, whyNoCases } from './suite.ts';
import { gatewayFailover } from './themes/gateway-failover.ts';

const missing = await whyNoCases();
if (missing !== '') console.log(`skipped: the end of gateway hosts on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('the end of a gateway host', () => {
  const { region, runner } = startRegion();

  describeThemes([gatewayFailover], runner);

  it('was said once of each, and its end once', async () => {
    type Nodes = { nodes: { id: string; lost: boolean; revision_number: number }[] };
    const { nodes } = await api<Nodes>(region().url, 'GET', '/alcor/v1/nodes');
    // Made, given the role, lost, back.
    expect(nodes.map(({ id, lost, revision_number: at }) => [id, lost, at])).toEqual([
      ['host-1', false, nodes[0]!.revision_number],
      ['host-2', false, nodes[0]!.revision_number + 3],
      ['host-3', false, nodes[0]!.revision_number + 3],
    ]);
  });
});
