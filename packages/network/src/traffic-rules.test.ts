import { describe, expect, it } from 'vitest';
import { AlcorError } from './errors.ts';
import { canonicalPrefix, checkTraffic, normalizedCidr, samenessOf } from './traffic-rules.ts';
import type { Traffic } from './traffic-rules.ts';

const any: Traffic = {
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
};

function refused(given: Partial<Traffic>): string {
  try {
    checkTraffic({ ...any, ...given });
  } catch (error) {
    return AlcorError.from(error).type;
  }
  return 'taken';
}

describe('traffic', () => {
  it.each<[Partial<Traffic>, string]>([
    [{ protocol: 'tcp', portRangeMin: 80, portRangeMax: 79 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'tcp', portRangeMin: 80 }, 'SecurityGroupInvalidPortRange'],
    [{ protocol: 'udp', portRangeMin: 0, portRangeMax: 5 }, 'SecurityGroupInvalidPortValue'],
    [{ portRangeMin: 1, portRangeMax: 5 }, 'SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'gre', portRangeMin: 1, portRangeMax: 5 }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'icmp', portRangeMin: 300, portRangeMax: 1 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', portRangeMin: 1, portRangeMax: 256 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', portRangeMax: 6 }, 'SecurityGroupMissingIcmpType'],
    [{ protocol: 'icmp', portRangeMin: 0, portRangeMax: 0 }, 'taken'],
    [{ protocol: 'icmp', portRangeMin: 11 }, 'taken'],
    [{ protocol: 'nonsense' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: '256' }, 'SecurityGroupRuleInvalidProtocol'],
    [{ protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ protocol: '58' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ protocol: 'sctp', portRangeMin: 1, portRangeMax: 65_535 }, 'taken'],
    [{ ethertype: 'IPv6', remoteIpPrefix: '10.0.0.0/8' }, 'SecurityGroupRuleParameterConflict'],
    [{ ethertype: 'IPv4', remoteIpPrefix: 'fd00::/8' }, 'SecurityGroupRuleParameterConflict'],
  ])('%j: %s', (given, type) => {
    expect(refused(given)).toBe(type);
  });

  it.each([
    ['icmp', 'ipv6-icmp'],
    ['icmpv6', 'ipv6-icmp'],
    ['ICMPv6', 'ipv6-icmp'],
    ['1', '58'],
    ['58', '58'],
    ['TCP', 'tcp'],
    ['017', '17'],
  ])('over IPv6 %s is kept as %s', (given, kept) => {
    expect(checkTraffic({ ...any, ethertype: 'IPv6', protocol: given }).protocol).toBe(kept);
  });

  it('is the same whatever it is called, and is not where anything differs', () => {
    const key = (given: Partial<Traffic>): string => samenessOf({ ...any, ...given }, [null]);
    expect(key({ protocol: 'tcp' })).toBe(key({ protocol: '6' }));
    expect(key({ remoteIpPrefix: '0.0.0.0/0' })).toBe(key({}));
    expect(key({ remoteIpPrefix: '10.0.0.9/24' })).toBe(key({ remoteIpPrefix: '10.0.0.0/24' }));
    const different = [
      {},
      { direction: 'egress' as const },
      { ethertype: 'IPv6' as const },
      { protocol: 'udp' },
      { protocol: 'icmp', portRangeMin: 1 },
      { protocol: 'icmp', portRangeMin: 1, portRangeMax: 1 },
      { remoteIpPrefix: '10.0.0.0/24' },
    ].map(key);
    expect(new Set([...different, samenessOf(any, ['x'])]).size).toBe(different.length + 1);
  });
});

describe('a prefix', () => {
  it.each([
    ['10.0.0.34/24', '10.0.0.34/24', '10.0.0.0/24'],
    ['10.0.0.34', '10.0.0.34/32', '10.0.0.34/32'],
    ['FD00:0::1/64', 'fd00::1/64', 'fd00::/64'],
    ['::', '::/128', '::/128'],
  ])('%s is kept as %s and lies in %s', (given, kept, block) => {
    expect(canonicalPrefix(given)).toBe(kept);
    expect(normalizedCidr(kept)).toBe(block);
  });

  it.each(['192.168.1./24', '192.168.1.1/33', 'bad_prefix', '256', '', '/24', '10.0.0.0/8/8', '10.0.0.0/'])(
    '%s is none',
    (text) => {
      expect(canonicalPrefix(text)).toBeNull();
    },
  );
});
