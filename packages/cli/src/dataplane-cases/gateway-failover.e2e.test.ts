/** Who leaves the region by a gateway host that dies leaves by another within seconds, and by the first again when it is back, once. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, cleanUp, folder, type Running, start } from '../region/testing/region-process.ts';
import { Runner } from './run.ts';
import { describeThemes, whyNoCases } from './suite.ts';
import { gatewayFailover } from './themes/gateway-failover.ts';

const missing = await whyNoCases();
if (missing !== '') console.log(`skipped: the end of gateway hosts on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('the end of a gateway host', () => {
  let region: Running;
  let runner: Runner;

  beforeAll(async () => {
    region = await start(['--state', join(folder(), 'state'), '--no-demo', '--hosts', '3']);
    runner = await Runner.start(region);
  }, 120_000);

  afterAll(async () => {
    await runner?.close();
    await cleanUp();
  }, 120_000);

  describeThemes([gatewayFailover], () => runner);

  it('was said once of each, and its end once', async () => {
    type Nodes = { nodes: { id: string; lost: boolean; revision_number: number }[] };
    const { nodes } = await api<Nodes>(region.url, 'GET', '/alcor/v1/nodes');
    // Made, given the role, lost, back.
    expect(nodes.map(({ id, lost, revision_number: at }) => [id, lost, at])).toEqual([
      ['host-1', false, nodes[0]!.revision_number],
      ['host-2', false, nodes[0]!.revision_number + 3],
      ['host-3', false, nodes[0]!.revision_number + 3],
    ]);
  });
});
