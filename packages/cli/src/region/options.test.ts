import { describe, expect, it } from 'vitest';
import { regionOptions } from './options.ts';

const plain = {
  hosts: '2',
  port: '9696',
  state: '.alcor',
  listen: '127.0.0.1',
  identity: 'none',
  'identity-port': '5000',
};

describe('the options of a region', () => {
  it('ask for no identity, on loopback', () => {
    expect(regionOptions(plain)).toMatchObject({ identity: 'none', listen: '127.0.0.1', policy: undefined });
    expect(regionOptions({ ...plain, listen: '::1' }).listen).toBe('::1');
  });

  it.each(['0.0.0.0', '192.0.2.1', '::'])('refuse to listen on %s without identity', (listen) => {
    expect(() => regionOptions({ ...plain, listen })).toThrow('needs --identity builtin or keystone');
    expect(regionOptions({ ...plain, listen, identity: 'builtin' }).listen).toBe(listen);
  });

  it('serve the cloud messaging service beside the API, and elsewhere only with identity', () => {
    expect(regionOptions(plain).cmsListen).toBe('127.0.0.1:9697');
    expect(regionOptions({ ...plain, port: '0' }).cmsListen).toBe('127.0.0.1:0');
    expect(regionOptions({ ...plain, 'cms-listen': '[::1]:7' }).cmsListen).toBe('[::1]:7');
    expect(regionOptions({ ...plain, 'request-listen': '[::1]:8' }).requestListen).toBe('[::1]:8');
    expect(regionOptions(plain).requestListen).toBe('127.0.0.1:0');
    const everywhere = { ...plain, 'cms-listen': '0.0.0.0:9697' };
    expect(() => regionOptions(everywhere)).toThrow('--cms-listen 0.0.0.0 needs --identity builtin or keystone');
    expect(regionOptions({ ...everywhere, identity: 'builtin' }).cmsListen).toBe('0.0.0.0:9697');
  });

  it('say what the underlay and physical networks carry', () => {
    expect(regionOptions(plain).mtus).toEqual({ underlay: 1_500, physicalNetworks: {} });
    const jumbo = { ...plain, 'underlay-mtu': '9000', 'physical-mtu': 'physnet1:1500, data:9216' };
    expect(regionOptions(jumbo).mtus).toEqual({ underlay: 9_000, physicalNetworks: { physnet1: 1_500, data: 9_216 } });
    expect(() => regionOptions({ ...plain, 'underlay-mtu': '1329' })).toThrow(
      '--underlay-mtu wants a whole number from 1330',
    );
    expect(() => regionOptions({ ...plain, 'physical-mtu': '9000' })).toThrow('--physical-mtu wants NAME:BYTES');
    expect(() => regionOptions({ ...plain, 'physical-mtu': 'data:90000' })).toThrow(
      '--physical-mtu data wants a whole',
    );
  });

  it('make as many hosts gateways as there are at most', () => {
    expect(regionOptions(plain).gateways).toBe(0);
    expect(regionOptions({ ...plain, gateways: '2' }).gateways).toBe(2);
    expect(() => regionOptions({ ...plain, gateways: '3' })).toThrow('--gateways wants a whole number from 0 to 2');
  });

  it('take a message queue of one server or of a cluster', () => {
    expect(regionOptions(plain)).toMatchObject({
      queue: undefined,
      thresholds: {
        mq: { ports: 1_000, largestGroup: 1_000 },
        onDemand: { ports: 10_000, largestGroup: 10_000 },
      },
    });
    expect(regionOptions({ ...plain, queue: 'nats://a:4222' }).queue).toEqual({
      servers: ['nats://a:4222'],
      replicas: 1,
    });
    const cluster = {
      ...plain,
      queue: 'nats://a:4222, nats://b:4222,nats://c:4222',
      'mq-ports': '20',
      'on-demand-group': '30',
    };
    expect(regionOptions(cluster)).toMatchObject({
      queue: { servers: { length: 3 }, replicas: 3 },
      thresholds: { mq: { ports: 20 }, onDemand: { largestGroup: 30 } },
    });
  });

  it.each([
    [{ queue: 'http://a' }, "--queue wants nats://host:port, or several with commas between, not 'http://a'"],
    [{ queue: 'nats://a,' }, '--queue wants'],
    [{ queue: 'nats://a', 'queue-replicas': '9' }, '--queue-replicas wants a whole number from 1 to 5'],
    [{ 'mq-ports': '0' }, '--mq-ports'],
    [{ 'mq-group': 'many' }, '--mq-group'],
    [{ 'on-demand-ports': '-1' }, '--on-demand-ports'],
    [{ predict: '1000' }, '--predict wants a whole number from 0 to 256'],
    [{ identity: 'keystne' }, '--identity wants builtin, keystone or none'],
    [{ 'tunnel-type': 'gre' }, "--tunnel-type wants vxlan or geneve, not 'gre'"],
    [{ identity: 'keystone' }, '--keystone-url'],
    [{ identity: 'keystone', 'keystone-url': 'here' }, '--keystone-url'],
    [{ identity: 'builtin', port: '0' }, '--port wants a whole number from 1'],
    [{ 'identity-port': 'x' }, '--identity-port wants a whole number'],
    [{ 'cms-listen': 'localhost:1' }, '--cms-listen wants an IP address and a port'],
    [{ 'cms-listen': '127.0.0.1:99999' }, '--cms-listen wants'],
    [{ listen: 'localhost' }, '--listen wants an IP address'],
    [{ 'request-listen': '0.0.0.0:9016' }, '--request-listen wants an address of loopback, not 0.0.0.0'],
    [{ 'request-listen': '9016' }, '--request-listen wants an IP address and a port'],
  ])('%j is refused by name', (wrong, words) => {
    expect(() => regionOptions({ ...plain, ...wrong })).toThrow(words);
  });
});
