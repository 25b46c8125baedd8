import { canEmulate } from '@alcor/lab';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { api, cleanUp, eventually, folder, sh, start, stop, vmOf } from './testing/region-process.ts';

const emulation = await canEmulate();
if (!emulation.ok) console.log(`skipped: security groups on real Open vSwitch: ${emulation.reason}`);
afterAll(cleanUp);

function answers(vm: string, ip: string): boolean {
  return sh(`ip netns exec ${vm} ping -c 1 -W 1 ${ip} >/dev/null && echo yes || echo no`).trim() === 'yes';
}

describe.skipIf(!emulation.ok)('a security group', () => {
  it('lets in what its rules allow, from whom they allow it, from the moment the API has them', async () => {
    const { child, json, url } = await start(['--state', join(folder(), 'state')]);
    const [from, to] = json.ports;
    const vm = vmOf(json, from!.ip);
    const reaches = (wanted: boolean): Promise<boolean> =>
      eventually(
        `${from!.ip} reaches ${to!.ip}`,
        () => answers(vm, to!.ip),
        (found) => found === wanted,
      );
    const make = async (name: string): Promise<string> => {
      const body = { security_group: { name } };
      return (await api<{ security_group: { id: string } }>(url, 'POST', '/v2.0/security-groups', body)).security_group
        .id;
    };
    const allow = async (group: string, rule: object): Promise<string> => {
      const body = {
        security_group_rule: { security_group_id: group, direction: 'ingress', protocol: 'icmp', ...rule },
      };
      const made = await api<{ security_group_rule: { id: string } }>(url, 'POST', '/v2.0/security-group-rules', body);
      return made.security_group_rule.id;
    };
    const setGroups = (port: string, groups: readonly string[]): Promise<unknown> =>
      api(url, 'PUT', `/v2.0/ports/${port}`, { port: { security_groups: groups } });

    // Both are in the default group, whose members reach each other.
    await reaches(true);
    const web = await make('web');
    await setGroups(to!.id, [web]);
    await reaches(false);
    const rule = await allow(web, {});
    await reaches(true);
    await api(url, 'DELETE', `/v2.0/security-group-rules/${rule}`);
    await reaches(false);
    const admins = await make('admins');
    await allow(web, { remote_group_id: admins });
    expect(answers(vm, to!.ip)).toBe(false);
    await setGroups(from!.id, [admins]);
    await reaches(true);
    await setGroups(from!.id, []);
    await reaches(false);
    await api(url, 'PUT', `/v2.0/ports/${from!.id}`, { port: { port_security_enabled: false } });
    await reaches(false);
    await allow(web, { remote_ip_prefix: `${from!.ip}/32` });
    await reaches(true);
    await stop(child);
  });
});
