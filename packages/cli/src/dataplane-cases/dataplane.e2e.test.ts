import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../region/testing/region-process.ts';
import { flaws, small, withFlaw } from './flaws.ts';
import type { Theme, Verdict } from './run.ts';
import type { Site } from './site.ts';
import { describeThemes, startRegion, whyNoCases } from './suite.ts';
import { addressQuality } from './themes/address-quality.ts';
import { addresses } from './themes/addresses.ts';
import { broadcast } from './themes/broadcast.ts';
import { conntrackHelpers } from './themes/conntrack-helpers.ts';
import { groups } from './themes/groups.ts';
import { localIps } from './themes/local-ips.ts';
import { ndpProxies } from './themes/ndp-proxies.ts';
import { networkAcls } from './themes/network-acls.ts';
import { northSouth } from './themes/north-south.ts';
import { oneNetwork } from './themes/one-network.ts';
import { peering } from './themes/peering.ts';
import { quality } from './themes/quality.ts';
import { routers } from './themes/routers.ts';
import { services } from './themes/services.ts';
import { trunks } from './themes/trunks.ts';

const themes: readonly Theme[] = [
  oneNetwork,
  addresses,
  broadcast,
  groups,
  networkAcls,
  quality,
  addressQuality,
  routers,
  peering,
  northSouth,
  conntrackHelpers,
  ndpProxies,
  localIps,
  services,
  trunks,
];

const failures = (verdicts: readonly Verdict[]): readonly string[] => verdicts.flatMap(({ wrong }) => wrong);

const missing = await whyNoCases();
if (missing !== '') console.log(`skipped: the cases of the data plane on real Open vSwitch: ${missing}`);

describe.skipIf(missing !== '')('what the API says happens to packets', () => {
  const { runner } = startRegion();

  describeThemes(themes, runner);

  describe('the cases notice a data plane in which', () => {
    let site: Site;
    beforeAll(async () => {
      site = runner().site(small.short);
      await small.build(site);
      expect(failures(await runner().run(site, small.stages[0]!))).toEqual([]);
    });

    afterAll(() => site?.close());

    it.each(flaws)('$why', async (flaw) => {
      // Open vSwitch takes a moment to go by a new flow.
      const look = async (): Promise<string> => failures(await runner().run(site, small.stages[0]!, 0)).join('\n');
      await withFlaw(site, flaw, () => eventually(flaw.why, look, (said) => flaw.noticed.test(said)));
    });
  });
});
